"""A checked database without problems, and without a server."""

from collections.abc import Iterable

from seeder.conf import Settings
from seeder.domain.manifests import Manifest, ReportType, Selection, ViewKey, ViewSpec
from seeder.domain.view_names import ViewName
from seeder.postgres.doctor_queries import FoundRelation, FoundSchema, ServerFacts
from seeder.services.doctor.check_types import CheckedDatabase

GOOD_SERVER = ServerFacts(
    version_num=170000,
    version_text="PostgreSQL 17.0",
    role='"The seeder"',
    database="reports",
    is_superuser=False,
    is_standby=False,
    is_read_only=False,
    deadlock_timeout_ms=1000,
    idle_session_timeout_ms=0,
    max_connections=12,
    reserved_connections=3,
    role_connection_limit=-1,
    database_connection_limit=-1,
    can_create_temp=True,
    is_pooled=False,
)


def checked_database(
    server: ServerFacts = GOOD_SERVER,
    *,
    alias: str = "default",
    relations: Iterable[FoundRelation] = (),
    schemas: Iterable[FoundSchema] = (),
    missing: Iterable[ViewName] = (),
    **settings: object,
) -> CheckedDatabase:
    """Return a database with these facts instead of the catalog's."""
    manifest = Manifest(
        report_type=ReportType.CUSTOM,
        manifest_id=1,
        table_name="a",
        report_name="A",
        agency_id=1,
        agency_slug="demo",
        query="SELECT 1",
    )
    names = [*(relation.view for relation in relations), *missing]
    views = tuple(ViewSpec(key=ViewKey(database=alias, name=name), manifests=(manifest,)) for name in names)
    database = CheckedDatabase(
        alias=alias,
        server=server,
        settings=Settings(**{"max_workers": 8, **settings}),  # type: ignore[arg-type]  # any setting
        selection=Selection(views=views),
        listed_views=frozenset(names),
        compares_queries=False,
        on_progress=lambda *_: None,
    )
    vars(database).update(relations={relation.view: relation for relation in relations}, schemas=list(schemas))
    return database

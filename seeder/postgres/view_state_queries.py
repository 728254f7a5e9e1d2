"""Versions of materialized views, and what is recorded about them."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.freshness.data_age import NEVER_RECORDED, DataAge, RefreshedData, UnknownAge, ViewVersion
from seeder.domain.manifests import ViewKey
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.catalog import name_lists
from seeder.postgres.named_statements import STATEMENTS

TABLE = "seeder_view_state"
RECORD_VIEW_STATE = STATEMENTS["record_view_state"]  # with the parameters of `record_parameters`


class _RecordedState(NamedTuple):
    version: ViewVersion
    age: DataAge


def view_versions(
    database: str, *, oids: Collection[int] = (), names: Iterable[ViewName] = ()
) -> Mapping[ViewName, ViewVersion]:
    """Return the versions of existing materialized views, by OID or by name."""
    statement = STATEMENTS["view_versions"].format(materialized_view_versions=STATEMENTS["materialized_view_versions"])
    rows = sessions.query(database, statement, {"oids": list(oids), **name_lists(names)})
    return {ViewName(schema=schema, name=name): ViewVersion(oid=oid, xmin=xmin) for oid, schema, name, xmin in rows}


def data_ages(database: str, versions: Mapping[ViewName, ViewVersion]) -> Mapping[ViewName, DataAge]:
    """Return as of when views of these versions are. Requires the table, which is in the default database."""
    if not versions:
        return {}
    parameters = {"database": database, **name_lists(versions)}
    recorded = {
        ViewName(schema=schema, name=name): _RecordedState(
            version=ViewVersion(oid=oid, xmin=xmin), age=DataAge(as_of=as_of, unknown=unknown and UnknownAge(unknown))
        )
        for schema, name, oid, xmin, as_of, unknown in sessions.query(
            DEFAULT_DB_ALIAS, STATEMENTS["view_states"], parameters
        )
    }
    return {name: _age(recorded.get(name), version) for name, version in versions.items()}


def _age(recorded: _RecordedState | None, version: ViewVersion) -> DataAge:
    if recorded is None:
        return NEVER_RECORDED
    if recorded.version != version:
        return DataAge(as_of=None, unknown=UnknownAge.REFRESHED_BY_OTHERS)
    return recorded.age


def record_parameters(view: ViewKey, data: RefreshedData) -> Mapping[str, object]:
    """Return the parameters of `RECORD_VIEW_STATE`."""
    return {
        "state_database": view.database,
        "state_schema": view.name.schema,
        "state_name": view.name.name,
        "state_as_of": data.age.as_of,
        "state_unknown": data.age.unknown,
        "state_oid": data.version and data.version.oid,
        "state_xmin": data.version and data.version.xmin,
        "read_oids": [] if data.version else [one.oid for one in data.read],
        "read_xmins": [] if data.version else [one.xmin for one in data.read],
    }

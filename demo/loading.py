"""Loads the demo into a database with the contract tables: source tables, manifests, data checks and files.

The loading lane loads each file exactly once. So a second load of the demo finds everything loaded.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.db import transaction

from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.errors import PipelineError
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded
from demo import manifests
from demo.agencies import DEMO_FOLDER, Catalogue, read_catalogue
from demo.edited_copies import write_damaged_copies, write_earlier_edition
from demo.errors import DemoError
from demo.files import FILES, US_STATES, PublicFile
from seeder.data_check_errors import CheckTableUnusable
from seeder.services.data_checks import check_sync

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

COPIES = DEMO_FOLDER.parent / "var" / "demo"
MAX_REJECT_RATIO = 0.05
# Otherwise two simultaneous loads would both create the tables. The key is arbitrary.
_LOCK_LOAD = "SELECT pg_advisory_xact_lock(hashtextextended('demo.loading', 0))"


@dataclass(frozen=True, kw_only=True)
class DemoLoad:
    """What a load of the demo did."""

    catalogue: Catalogue
    manifest_rows_written: int  # inserted or corrected
    files: Sequence[Loaded]

    @property
    def has_loaded_files(self) -> bool:
        return any(one.status is LoadStatus.SUCCESS for one in self.files)


def load(connection: "BaseDatabaseWrapper") -> DemoLoad:
    """Load the tables, the manifests and the files, of the states an earlier edition. Keep what is loaded already.

    Raises `PipelineError`, or `DemoError` for a database that is not ready.
    """
    catalogue = read_catalogue()
    with connection.cursor() as cursor:
        if missing := manifests.missing_tables(cursor):
            raise DemoError(f"There is no table {missing[0]}: install the reporting schema first, then load the demo.")
    call_command("migrate", "data_pipeline", database=connection.alias, verbosity=0)
    with transaction.atomic(using=connection.alias), connection.cursor() as django_cursor:
        cursor = django_cursor.cursor  # psycopg's cursor: Django's debug wrapper accepts no composed statement
        cursor.execute(_LOCK_LOAD)
        _create_tables(cursor)
        written = manifests.upsert_manifests(cursor, catalogue)
    with suppress(CheckTableUnusable):  # the demo is complete without data checks
        check_sync.sync_checks(DEMO_FOLDER / "checks.yaml", updated_by="load_demo")
    paths = {file: file.path for file in FILES} | {US_STATES: write_earlier_edition(COPIES)}
    return DemoLoad(
        catalogue=catalogue,
        manifest_rows_written=written,
        files=[_load(connection, file, path) for file, path in paths.items()],
    )


def load_damaged_copies(connection: "BaseDatabaseWrapper") -> Mapping[Path, Loaded | PipelineError]:
    """Load damaged copies of files that are loaded. Return each outcome, which is an error for a refused copy."""
    outcomes: dict[Path, Loaded | PipelineError] = {}
    for file, path in write_damaged_copies(COPIES):
        try:
            outcomes[path] = _load(connection, file, path, max_reject_ratio=MAX_REJECT_RATIO)
        except PipelineError as refusal:
            outcomes[path] = refusal
    return outcomes


def load_newest_edition(connection: "BaseDatabaseWrapper") -> Loaded:
    """Load the estimates for the states with their last year."""
    return _load(connection, US_STATES, US_STATES.path)


def _create_tables(cursor: Any) -> None:
    cursor.execute("SELECT relkind = 'r' FROM pg_class WHERE oid = to_regclass('records.nypd_hate_crimes')")
    if cursor.fetchone() == (True,):
        raise DemoError(
            "The schema records is that of an earlier version of the demo. Drop it with its dependents"
            " (DROP SCHEMA records CASCADE), then load the demo."
        )
    cursor.execute((DEMO_FOLDER / "sources.sql").read_text(encoding="utf-8"))


def _load(
    connection: "BaseDatabaseWrapper", file: PublicFile, path: Path, *, max_reject_ratio: float | None = None
) -> Loaded:
    def load_once(*, force: bool) -> Loaded:
        return load_file(
            str(path), dialect=file.table, using=connection.alias, max_reject_ratio=max_reject_ratio, force=force
        )

    loaded = load_once(force=False)
    if loaded.status is LoadStatus.SKIPPED and _is_empty(connection, file.table):  # dropped after that load
        loaded = load_once(force=True)
    return loaded


def _is_empty(connection: "BaseDatabaseWrapper", table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT NOT EXISTS (SELECT FROM records.{table})")  # noqa: S608  # a name of the demo
        return bool(cursor.fetchone()[0])

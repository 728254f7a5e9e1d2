"""Tables filled with many rows by plain SQL."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.refresh_requests import AllReports
from seeder.postgres import sessions
from seeder.services import manifest_selection
from seeder.services.run import planning
from tests.conftest import sql

_FILES = ("platform.sql", "loads.sql", "freshness.sql")
# The tables whose indexes are created after the rows.
_LARGE_TABLES = ("reporting.seeder_run_history", "load_log", "load_event")
_INDEXES = (
    "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
    " WHERE indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"
)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Numbers of rows."""

    views: int
    agencies: int
    runs: int = 500  # most of them of all manifests, of which there are 1.2 for each view
    requests: int
    tables: int
    loads: int
    rejects: int
    load_requests: int

    @classmethod
    def of(cls, fraction: float) -> Self:
        """Return a fraction of a large platform, with five million rows of history."""
        return cls(
            views=round(10_000 * fraction),
            agencies=max(round(500 * fraction), 60),
            requests=max(round(5_000 * fraction), 50),
            tables=max(round(500 * fraction), 20),
            loads=round(1_000_000 * fraction),
            rejects=round(200_000 * fraction),
            load_requests=round(50_000 * fraction),
        )


def fill_tables(scale: Scale) -> None:
    """Fill the empty tables of the default database."""
    # Indexes are created faster than they are maintained, and no foreign key needs a check.
    sql("SET session_replication_role = replica; SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'")
    indexes = dict(index for table in _LARGE_TABLES for index in sql(_INDEXES, table))
    for name in indexes:
        sql(f"DROP INDEX {name}")
    for file in _FILES:
        for statement in Path(__file__).with_name(file).read_text("utf-8").split("\n\n"):
            sessions.query(DEFAULT_DB_ALIAS, statement, asdict(scale))
    for definition in indexes.values():
        sql(definition)
    sql("RESET ALL")
    sql("VACUUM (ANALYZE)")
    # A run keeps which queries match their views.
    planning.build(manifest_selection.select(AllReports(), databases={}), save_confirmed=True)

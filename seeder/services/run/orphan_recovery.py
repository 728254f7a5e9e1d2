"""Closes the rows that dead runs left open."""

from collections.abc import Mapping

from django.db import DEFAULT_DB_ALIAS

from seeder.domain import lock_keys
from seeder.domain.view_names import ViewName
from seeder.postgres import advisory_locks
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import atomic
from seeder.services import history_rows
from seeder.services.run.run_rows import RunRowWriter
from seeder.services.structured_log import WARNING, log_event

_REASON = "interrupted: the run ended before it could report the result"


def recover_orphaned_runs(tables: OptionalTables | None = None) -> Mapping[str, int]:
    """Close the open rows of dead runs as interrupted. Return the number of rows by run.

    A run is dead if its run lock is free. Even then a row stays open while the server works on its view: that backend
    has not noticed yet that its client is gone, and may still commit.

    Raises `ServerUnreachable`, `SchemaMissing` or `PermissionMissing`.
    """
    recovered: dict[str, int] = {}
    with translate_database_errors(DEFAULT_DB_ALIAS):
        tables = tables or OptionalTables.read(DEFAULT_DB_ALIAS)
        for run_id in history_rows.open_runs(tables):
            # The lock is held until the end of the transaction, so that two recoveries do not close the same run.
            with atomic(durable=True):
                if not advisory_locks.try_lock(DEFAULT_DB_ALIAS, lock_keys.of_run(run_id)):
                    continue
                rows = history_rows.close_open_rows(run_id, reason=_REASON, may_close=_is_view_idle)
                RunRowWriter(run_id, tables).close("killed")
            if rows:
                log_event(WARNING, "run_recovered", run_id=run_id, rows=rows)
                recovered[run_id] = rows
    return recovered


def _is_view_idle(table_name: str) -> bool:
    name = ViewName.parse_or_none(table_name)
    return name is None or advisory_locks.try_lock(DEFAULT_DB_ALIAS, lock_keys.of_view(name))

"""Closes what runs left open that are no more. Nothing of a living run is touched."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.view_names import ViewName
from seeder.errors import BadName
from seeder.postgres import advisory_locks
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import durable_transaction
from seeder.services import run_history
from seeder.services.event_logger import WARNING, log_event
from seeder.services.run import run_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class RecoveredRun:
    """A dead run whose rows were closed."""

    run_id: str
    rows: int


def recover_orphaned_runs(tables: OptionalTables | None = None) -> Sequence[RecoveredRun]:
    """Close the open rows of every run that is provably dead, as errors that say "interrupted".

    A run is dead when the lock that it holds for life is free. Even then a row stays open while the server still works
    on its view: that backend has not noticed yet that its client is gone, and nobody knows how it will end.

    Raises `ServerUnreachable`, `SchemaMissing` or `PermissionMissing`.
    """
    recovered = []
    tables = tables or OptionalTables.read(DEFAULT_DB_ALIAS)
    with translate_database_errors(DEFAULT_DB_ALIAS):
        open_runs = run_history.open_runs(tables)
        for run_id in open_runs:
            # Its lock is held until the end of the transaction, so that two recoveries do not close the same run.
            with durable_transaction(DEFAULT_DB_ALIAS):
                if advisory_locks.try_lock_dead_run(DEFAULT_DB_ALIAS, run_id):
                    rows = run_history.close_orphaned_run(run_id, may_close=_is_view_idle)
                    if rows:
                        log_event(WARNING, "run_recovered", run_id=run_id, rows=rows)
                        recovered.append(RecoveredRun(run_id=run_id, rows=rows))
        if open_runs:
            with durable_transaction(DEFAULT_DB_ALIAS):
                run_rows.close_dead_runs(
                    tables,
                    is_dead=lambda run_id: advisory_locks.try_lock_dead_run(DEFAULT_DB_ALIAS, run_id),
                    reason="killed",
                )
    return recovered


def _is_view_idle(table_name: str) -> bool:
    try:
        name = ViewName.parse(table_name)
    except BadName:
        return True
    return advisory_locks.try_lock_view(DEFAULT_DB_ALIAS, name)

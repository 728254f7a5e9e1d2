"""Rings again for what is queued and nobody works on, because a worker was killed or the queue has lost a doorbell."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS

from seeder.postgres import advisory_locks
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import durable_transaction
from seeder.services.event_logger import WARNING, log_event
from seeder.services.queue import dispatch, part_rows
from seeder.services.run import orphan_recovery
from seeder.services.run.orphan_recovery import RecoveredRun

# A doorbell that is still on its way, or held by a worker that is about to begin, needs no second one.
_PATIENCE = timedelta(minutes=1)
# While the queue has other things waiting, that of a part may be among them; or be lost, which nobody can see.
_LONG_PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rescued:
    """What was taken up again."""

    rung: tuple[int, ...]  # parts
    recovered: tuple[RecoveredRun, ...]  # runs whose rows were closed


def rescue_stalled_parts() -> Rescued:
    """Put back what dead runs have left, and ring for it; and for what has been queued for a while, sooner where the
    queue has nothing waiting. May be called by anybody at any time, and by several at once. Does nothing where no queue
    is.

    Raises `DatabaseError`.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        recovered = tuple(orphan_recovery.recover_orphaned_runs())
        if not (dispatch.is_available() and part_rows.is_available()):
            return Rescued(rung=(), recovered=recovered)
        with durable_transaction(DEFAULT_DB_ALIAS):
            # The locks taken here last until the end of the transaction, so that nobody else finds the run dead.
            dead = [
                row
                for row in part_rows.running()
                if advisory_locks.try_lock_dead_run(DEFAULT_DB_ALIAS, row.run_ids[-1])
            ]
            rung = [row.pk for row in dead if part_rows.release(row.pk, run_ids=row.run_ids)]
        told = _LONG_PATIENCE if dispatch.backlog_size() else _PATIENCE
        with durable_transaction(DEFAULT_DB_ALIAS):
            rung += part_rows.undispatched(_PATIENCE, dispatched_before=told)
        for part_id in rung:
            log_event(WARNING, "part_rescued", part=part_id)
            dispatch.dispatch_part(part_id)
    return Rescued(rung=tuple(rung), recovered=recovered)

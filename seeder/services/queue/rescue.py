"""Rescues stalled work: parts whose worker was killed, and parts whose message the queue has lost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS
from django.utils.module_loading import import_string

from seeder.domain import lock_keys
from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.postgres import advisory_locks
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import atomic
from seeder.services.queue import dispatch, part_rows
from seeder.services.run import orphan_recovery
from seeder.services.structured_log import WARNING, log_event
from seeder.texts import Text

# Time for a worker to receive a message and claim the part. Until then the message is not sent again.
_DISPATCH_AGAIN_AFTER = timedelta(minutes=1)
# If the queue has a backlog, the message may still be in it. The queue cannot say which messages it has.
_DISPATCH_AGAIN_AFTER_WITH_BACKLOG = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rescued:
    """The result of a rescue."""

    dispatched: tuple[int, ...]  # ids of the parts that were dispatched again
    recovered: Mapping[str, int]  # closed rows of dead runs

    def __str__(self) -> str:
        """Return one line with the dispatched parts, or an empty text."""
        if not self.dispatched:
            return ""
        return Text("dispatched again: part {parts}", parts=Text.joined(map(str, self.dispatched)))


def rescue_all() -> Iterator[str]:
    """Run the rescuers of every installed app, and yield the text of each non-empty result.

    The `rescuers` of an AppConfig are dotted paths of functions without arguments. Each must be safe to call at any
    time, and concurrently.
    """
    for app in apps.get_app_configs():
        for path in getattr(app, "rescuers", ()):
            if text := str(import_string(path)()):
                yield text


def rescue_stalled_parts() -> Rescued:
    """Dispatch the parts of dead runs again, unless they were cancelled, and the parts that have waited too long.

    Also closes the rows of dead runs; without a queue it does only this. Safe to call at any time, and concurrently.

    Raises `DatabaseError`.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        recovered = orphan_recovery.recover_orphaned_runs()
        if not (dispatch.is_available() and part_rows.is_available()):
            return Rescued(dispatched=(), recovered=recovered)
        with atomic(durable=True):
            # The locks are held until the end of the transaction, so that a concurrent rescue skips these runs.
            stalled = [
                row.pk
                for row in part_rows.running()
                if advisory_locks.try_lock(DEFAULT_DB_ALIAS, lock_keys.of_run(row.run_ids[-1]))
                and part_rows.release(row.pk, run_ids=row.run_ids) is QueuedPartState.QUEUED
            ]
        again_after = _DISPATCH_AGAIN_AFTER_WITH_BACKLOG if dispatch.backlog_size() else _DISPATCH_AGAIN_AFTER
        with atomic(durable=True):
            stalled += part_rows.undispatched(_DISPATCH_AGAIN_AFTER, dispatched_before=again_after)
        for part_id in stalled:
            log_event(WARNING, "part_rescued", part=part_id)
            part_rows.dispatch_part(part_id)
    return Rescued(dispatched=tuple(stalled), recovered=recovered)

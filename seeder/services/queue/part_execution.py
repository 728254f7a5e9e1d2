"""Runs one part of the queue.

A worker takes its run lock before it claims a part. So any other process can check whether the run of a claimed part is
alive. A duplicate message has no effect, nor has a message for an ended part. If the run of a part is dead, the next
worker claims the part and refreshes its remaining views.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from threading import Timer

from django.db import DEFAULT_DB_ALIAS, Error
from django.db.models import Max

from seeder import conf
from seeder.domain import lock_keys
from seeder.domain.log_format import LogValue
from seeder.domain.outcomes import Status
from seeder.domain.queue.queued_requests import (
    MAX_ATTEMPTS_WITHOUT_PROGRESS,
    QueuedPartState,
    attempts_without_progress,
)
from seeder.domain.refresh_requests import SelectedManifests
from seeder.domain.view_names import DEFAULT_SCHEMA
from seeder.errors import DatabaseError, SeederError
from seeder.models import JobStatus, QueuedRefresh
from seeder.postgres import advisory_locks, sessions
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import atomic
from seeder.services import history_rows
from seeder.services.process_name import process_name
from seeder.services.queue import dispatch, part_rows
from seeder.services.run import orphan_recovery, preconditions
from seeder.services.run.orchestrator import RunOrigin, execute_locked
from seeder.services.run.run_liveness_lock import RunLock, new_run_id
from seeder.services.stop_signal import StopSignal
from seeder.services.structured_log import INFO, WARNING, log_event

TIME_LIMIT = "the time limit of the queue"


@dataclass(frozen=True, kw_only=True, slots=True)
class PartResult:
    """The result of a task that ran a part."""

    id: int
    result: str  # short text for the result of the queue's task
    run_id: str | None = None
    succeeded: int = 0  # manifests, by all of the part's runs
    failed: int = 0


def run_part(part_id: int, *, min_interval: timedelta = timedelta(), stop: StopSignal | None = None) -> PartResult:
    """Claim a part and refresh its remaining views, when none of them was started for `min_interval`.

    Failed views are counted, not raised. If `stop` is set, the part is queued again with its remaining views.

    Raises `DatabaseError`. The part can then be claimed again.
    """
    stop = stop or StopSignal()
    with translate_database_errors(DEFAULT_DB_ALIAS):
        preconditions.require_all(conf.load())
        with _time_limit(stop):
            if min_interval:
                _wait_for_joins(part_id, min_interval, stop)
            with RunLock(new_run_id()) as run_lock:
                part = _claim(part_id, run_lock.run_id)
                return PartResult(id=part_id, result=part) if isinstance(part, str) else _work(part, run_lock, stop)


def _wait_for_joins(part_id: int, min_interval: timedelta, stop: StopSignal) -> None:
    """Wait while the last refresh of a part's views is more recent. Until the claim, other requests join the part."""
    part = QueuedRefresh.objects.not_started().filter(pk=part_id).first()
    views = [name for _, name in part.views] if part else []
    names = {*views, *(name.removeprefix(f"{DEFAULT_SCHEMA}.") for name in views)}
    last = JobStatus.objects.filter(table_name__in=names).aggregate(at=Max("start_time"))["at"]
    if last is not None:
        stop.wait(max(last + min_interval - sessions.server_time(DEFAULT_DB_ALIAS), timedelta()))


def _claim(part_id: int, run_id: str) -> QueuedRefresh | str:
    """Claim a part for this run, or return the reason why it cannot be claimed."""
    with atomic(durable=True):
        part = QueuedRefresh.objects.filter(pk=part_id).select_for_update().first()
        if part is None:
            return "nothing: no such part"
        if part.state == QueuedPartState.ENDED:
            return "nothing: it has ended"
        if part.cancel_requested_at is not None:  # if its worker was killed, the rescuer ends it
            return "nothing: it was cancelled"
        if part.state == QueuedPartState.RUNNING and not advisory_locks.try_lock(
            DEFAULT_DB_ALIAS, lock_keys.of_run(part.run_ids[-1])
        ):
            return "nothing: it is being worked on"
        part_rows.claim(part, run_id=run_id, worker=process_name())
        return part


def _work(part: QueuedRefresh, run_lock: RunLock, stop: StopSignal) -> PartResult:
    """Refresh the manifests that the earlier runs of a claimed part have not refreshed."""
    successes = history_rows.finished_manifests(part.run_ids, Status.SUCCESS)
    left = part.manifest_keys.difference(*successes.values())
    attempts = attempts_without_progress(part.run_ids[:-1], successes.keys())
    log_event(INFO, "part_claimed", **_fields(part), description=part.description, left=len(left))
    if attempts >= MAX_ATTEMPTS_WITHOUT_PROGRESS:
        orphan_recovery.recover_orphaned_runs()  # closes the rows that those attempts left open
        error = f"given up: {attempts} runs in a row ended before any of its views was refreshed"
        return _end(part, "nothing: given up", error=error)
    if not left:
        return _end(part, "done")
    request = SelectedManifests(manifests=left, description=part.description)
    origin = RunOrigin(requested_at=part.last_requested_at, requested_by=part.requested_by, is_forced=part.is_forced)
    cancel_requested_by = partial(part_rows.cancel_requested_by, part.pk)
    try:
        summary = execute_locked(request, run_lock, origin, stop=stop, cancel_requested_by=cancel_requested_by)
    except DatabaseError:
        with suppress(Error):  # if the release fails too, the free run lock shows that the run is dead
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            if part_rows.release(part.pk, run_ids=part.run_ids) is QueuedPartState.QUEUED:
                log_event(WARNING, "part_released", **_fields(part), cause="database")
        raise
    except SeederError as error:
        return _end(part, "ended in error", error=str(error))
    if not summary.interrupted:
        return _end(part, "done")
    state = part_rows.release(part.pk, run_ids=part.run_ids)
    if state is QueuedPartState.CANCELLED:
        return _result(part, "cancelled")
    if state is QueuedPartState.QUEUED:
        log_event(WARNING, "part_released", **_fields(part), cause="stopped", stopped_by=stop.reason)
        part_rows.dispatch_part(part.pk)
    return _result(part, f"stopped by {stop.reason}")


def _end(part: QueuedRefresh, outcome: str, *, error: str | None = None) -> PartResult:
    counts = history_rows.count_manifests(part.run_ids)
    part_rows.end(part.pk, run_ids=part.run_ids, **counts, error=error)
    log_event(WARNING if error or counts["failed"] else INFO, "part_ended", **_fields(part), outcome=outcome, **counts)
    return _result(part, outcome, counts)


def _fields(part: QueuedRefresh) -> dict[str, LogValue]:
    return {"part": part.pk, "run_id": part.run_ids[-1], "agencies": tuple(part.agencies)}


def _result(part: QueuedRefresh, outcome: str, counts: Mapping[str, int] | None = None) -> PartResult:
    counts = counts or history_rows.count_manifests(part.run_ids)
    return PartResult(id=part.pk, result=outcome, run_id=part.run_ids[-1], **counts)


@contextmanager
def _time_limit(stop: StopSignal) -> Iterator[None]:
    """Set the stop signal shortly before the queue would kill the task."""
    limit = dispatch.time_limit()
    timer = Timer(limit.total_seconds() if limit else 0, stop.request, [TIME_LIMIT])
    timer.daemon = True
    if limit:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()

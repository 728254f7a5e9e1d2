"""Works off a part of what is queued.

A worker holds the lock of its run before it takes a part up, so that whoever finds the part running can tell whether
anybody is at it. Told of a part twice, or of one that has ended, it does nothing; told of one whose run is dead, it
goes on where that run was killed.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Timer

from django.db import DEFAULT_DB_ALIAS, Error

from seeder import conf
from seeder.domain.log_format import LogValue, sorted_unique
from seeder.domain.outcomes import Status
from seeder.domain.queue.queued_requests import (
    MAX_ATTEMPTS_WITHOUT_PROGRESS,
    ManifestKey,
    QueuedPart,
    QueuedPartState,
    attempts_without_progress,
)
from seeder.domain.refresh_requests import SelectedManifests
from seeder.errors import DatabaseError, SeederError
from seeder.postgres import advisory_locks, sessions
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import durable_transaction
from seeder.services import run_history
from seeder.services.event_logger import INFO, WARNING, log_event
from seeder.services.queue import dispatch, part_dispatch, part_rows
from seeder.services.run import orphan_recovery, preconditions
from seeder.services.run.orchestrator import RunOrigin, execute_locked, new_run_id
from seeder.services.run.run_lock import RunLock
from seeder.services.stop_signal import StopSignal

TIME_LIMIT = "the time limit of the queue"


@dataclass(frozen=True, kw_only=True, slots=True)
class PartResult:
    """What came of being told of a part."""

    id: int
    result: str  # in a word or two
    run_id: str | None = None
    succeeded: int = 0  # manifests, by all of the part's runs
    failed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Claim:
    """A part that is ours."""

    part: QueuedPart
    order: RunOrigin
    description: str
    left: frozenset[ManifestKey]
    attempts: int  # in a row that got nothing done, before this one


def run_part(part_id: int, *, stop: StopSignal | None = None) -> PartResult:
    """Refresh what is left of a part, if it is anybody's to take. Failed views are counted, not raised; when `stop` is
    requested, the rest is put back.

    Raises `DatabaseError`, after which the part can be taken up again.
    """
    stop = stop or StopSignal()
    with translate_database_errors(DEFAULT_DB_ALIAS):
        preconditions.require_all(conf.load())
        with RunLock(new_run_id()) as life, _time_limit(stop):
            claim = _claim(part_id, life.run_id)
            if isinstance(claim, str):
                return PartResult(id=part_id, result=claim)
            log_event(INFO, "part_claimed", **_which(claim), description=claim.description, left=len(claim.left))
            return _work(claim, life, stop)


def _claim(part_id: int, run_id: str) -> _Claim | str:
    """The part, taken up by this run; or why it was not."""
    with durable_transaction(DEFAULT_DB_ALIAS):
        row = part_rows.lock_part(part_id)
        if row is None:
            return "nothing: no such part"
        if row.state == QueuedPartState.ENDED:
            return "nothing: it has ended"
        if (
            row.state == QueuedPartState.RUNNING
            and row.run_ids
            and not advisory_locks.try_lock_dead_run(DEFAULT_DB_ALIAS, row.run_ids[-1])
        ):
            return "nothing: it is being worked on"
        successes = {run: run_history.finished_manifests(run, Status.SUCCESS) for run in row.run_ids}
        attempts = attempts_without_progress(row.run_ids, {run for run, done in successes.items() if done})
        part_rows.claim(row, run_id=run_id, worker=f"{socket.gethostname()}:{os.getpid()}")
        part = part_rows.as_value(row)
        return _Claim(
            part=part,
            order=RunOrigin(requested_at=part_rows.requested_at(row), requested_by=row.requested_by),
            description=row.description,
            left=part.manifests.difference(*successes.values()),
            attempts=attempts,
        )


def _work(claim: _Claim, life: RunLock, stop: StopSignal) -> PartResult:
    if claim.attempts >= MAX_ATTEMPTS_WITHOUT_PROGRESS:
        orphan_recovery.recover_orphaned_runs()  # what those attempts have left open says how they ended
        error = f"given up: {claim.attempts} runs in a row ended before any of its views was refreshed"
        return _end(claim, "nothing: given up", error=error)
    unfinished = False
    try:
        if claim.left:
            request = SelectedManifests(manifests=claim.left, description=claim.description)
            summary = execute_locked(request, life, claim.order, on_event=lambda _: None, stop=stop)
            unfinished = bool(summary.interrupted)
    except DatabaseError:
        with suppress(Error):  # where the database does not even take that, the run's lock says the same
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            part_rows.release(claim.part.id, run_ids=claim.part.run_ids)
            log_event(WARNING, "part_released", **_which(claim), cause="database")
        raise
    except SeederError as error:
        return _end(claim, "ended in error", error=str(error))
    if unfinished:
        if part_rows.release(claim.part.id, run_ids=claim.part.run_ids):
            log_event(WARNING, "part_released", **_which(claim), cause="stopped", stopped_by=stop.reason)
            part_dispatch.dispatch_part(claim.part.id)
        return _worked(claim, f"stopped by {stop.reason}")
    return _end(claim, "done")


def _end(claim: _Claim, did: str, *, error: str | None = None) -> PartResult:
    worked = _worked(claim, did)
    counts = {"succeeded": worked.succeeded, "failed": worked.failed}
    part_rows.end(claim.part.id, run_ids=claim.part.run_ids, **counts, error=error)
    log_event(WARNING if error or worked.failed else INFO, "part_ended", **_which(claim), outcome=did, **counts)
    return worked


def _which(claim: _Claim) -> dict[str, LogValue]:
    return {"part": claim.part.id, "run_id": claim.part.run_ids[-1], "agencies": sorted_unique(claim.part.agencies)}


def _worked(claim: _Claim, did: str) -> PartResult:
    """With what all runs of the part have come to: a manifest that succeeded in one of them has succeeded."""
    succeeded: set[ManifestKey] = set()
    failed: set[ManifestKey] = set()
    for run_id in claim.part.run_ids:
        succeeded |= run_history.finished_manifests(run_id, Status.SUCCESS)
        failed |= run_history.finished_manifests(run_id, Status.ERROR)
    return PartResult(
        id=claim.part.id,
        result=did,
        run_id=claim.part.run_ids[-1],
        succeeded=len(succeeded),
        failed=len(failed - succeeded),
    )


@contextmanager
def _time_limit(stop: StopSignal) -> Iterator[None]:
    """Ask for a stop before the queue ends the task by force."""
    limit = dispatch.time_limit()
    if limit is None:
        yield
        return
    timer = Timer(limit.total_seconds(), stop.request, [TIME_LIMIT])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()

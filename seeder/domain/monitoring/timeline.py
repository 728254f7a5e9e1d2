"""What a run did with its time: a bar for each view, in the lane of the seat that it had."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from seeder.domain.outcomes import Status


@dataclass(frozen=True, kw_only=True, slots=True)
class RunTotals:
    """One run, counted over the manifests that who asks may see."""

    run_id: str
    description: str
    requested_by: str
    started_at: datetime
    finished_at: datetime | None  # None while it runs
    stopped_by: str | None
    workers: int
    manifests: int
    succeeded: int
    failed: int  # interrupted ones among them

    @property
    def status(self) -> Status:
        if self.finished_at is None:
            return Status.RUNNING
        return Status.ERROR if self.failed or self.stopped_by else Status.SUCCESS

    @property
    def duration(self) -> timedelta | None:
        return None if self.finished_at is None else self.finished_at - self.started_at


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldInterval:
    """For how long nothing might start in a database."""

    database: str
    reason: str  # server_busy or circuit_open
    started_at: datetime
    finished_at: datetime | None  # None where it goes on, or where nobody saw the end


@dataclass(frozen=True, kw_only=True, slots=True)
class TimelineBar:
    """One view of a run."""

    table_name: str
    report_name: str
    agencies: Sequence[str]
    status: Status
    started_at: datetime
    finished_at: datetime | None
    worker_number: int | None  # from 1 on; None where nobody wrote it down
    throttle_wait: timedelta | None  # before it started: by the pace, a busy server or an open circuit breaker
    lock_wait: timedelta | None  # waiting for locks
    reason: str | None  # of a failure
    rows: int | None
    lane: int = 0  # from 1 on

    @property
    def duration(self) -> timedelta | None:
        return None if self.finished_at is None else self.finished_at - self.started_at


def assign_lanes(bars: Iterable[TimelineBar], *, now: datetime) -> list[TimelineBar]:
    """Give each bar the lane of its seat, or the next one that is free: seats of two databases share their numbers, and
    of a run without metrics no seat is known. In the order in which they started."""
    busy_until: dict[int, datetime] = {}  # until when
    placed = []
    for bar in sorted(bars, key=lambda one: (one.started_at, one.worker_number or 0, one.table_name)):
        lane = bar.worker_number or 1
        while busy_until.get(lane, bar.started_at) > bar.started_at:
            lane += 1
        busy_until[lane] = bar.finished_at or now
        placed.append(replace(bar, lane=lane))
    return placed


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """One run from its beginning to its end, or to now."""

    run: RunTotals
    now: datetime  # by the database's clock
    bars: Sequence[TimelineBar]  # of what has begun
    pending_count: int  # views that have not
    holds: Sequence[HoldInterval]

"""What a run did with its time: a bar for each view, in the lane of the seat that it had."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from seeder.domain.outcomes import Status


@dataclass(frozen=True, kw_only=True, slots=True)
class RunTotals:
    """One run, counted over the manifests that who asks may see."""

    run_id: str
    asked_for: str
    asked_by: str
    started: datetime
    finished: datetime | None  # None while it runs
    stopped_by: str | None
    seats: int
    manifests: int
    succeeded: int
    failed: int  # interrupted ones among them

    @property
    def status(self) -> Status:
        if self.finished is None:
            return Status.RUNNING
        return Status.ERROR if self.failed or self.stopped_by else Status.SUCCESS

    @property
    def took(self) -> timedelta | None:
        return None if self.finished is None else self.finished - self.started


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """For how long nothing might start in a database."""

    database: str
    reason: str  # server_busy or circuit_open
    began: datetime
    ended: datetime | None  # None where it goes on, or where nobody saw the end


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One view of a run."""

    table_name: str
    report_name: str
    agencies: Sequence[str]
    status: Status
    started: datetime
    finished: datetime | None
    seat: int | None  # from 1 on; None where nobody wrote it down
    held: timedelta | None  # before it started: by the pace, a busy server or an open circuit breaker
    locked: timedelta | None  # waiting for locks
    reason: str | None  # of a failure
    rows: int | None
    lane: int = 0  # from 1 on

    @property
    def took(self) -> timedelta | None:
        return None if self.finished is None else self.finished - self.started


def in_lanes(bars: Iterable[Bar], *, now: datetime) -> list[Bar]:
    """Give each bar the lane of its seat, or the next one that is free: seats of two databases share their numbers, and
    of a run without metrics no seat is known. In the order in which they started."""
    busy: dict[int, datetime] = {}  # until when
    placed = []
    for bar in sorted(bars, key=lambda one: (one.started, one.seat or 0, one.table_name)):
        lane = bar.seat or 1
        while busy.get(lane, bar.started) > bar.started:
            lane += 1
        busy[lane] = bar.finished or now
        placed.append(replace(bar, lane=lane))
    return placed


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """One run from its beginning to its end, or to now."""

    run: RunTotals
    now: datetime  # by the database's clock
    bars: Sequence[Bar]  # of what has begun
    pending: int  # views that have not
    waits: Sequence[Wait]

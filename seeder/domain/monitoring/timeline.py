"""Timeline of a run: a bar for each view, a lane for each worker."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import nsmallest
from operator import itemgetter

from seeder.domain.human_format import format_count
from seeder.domain.mode_predictor import unchanged_rows
from seeder.domain.monitoring.view_counts import count_text
from seeder.domain.outcomes import HeldReason, Outcome, Status
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class RunTotals:
    """A run, counted over the manifests that the user may see."""

    run_id: str
    description: str
    requested_by: str
    started_at: datetime
    finished_at: datetime | None  # None while it runs
    stopped_by: str | None
    workers: int
    manifests: int
    succeeded: int
    failed: int  # including held ones
    held: int = 0
    interrupted: int = 0
    cancel_requested_by: str | None = None  # of a run outside the queue
    is_dead: bool = False  # its process was killed, and nothing has closed its rows yet
    parallel_query: Mapping[str, bool] = field(default_factory=dict)  # by database whose workers were kept busy

    @property
    def is_without_parallel_query(self) -> bool:
        """Whether views of a database had no parallel query while all its workers were busy."""
        return not all(self.parallel_query.values())

    @property
    def status(self) -> Status:
        if self.finished_at is None and not self.is_dead:
            return Status.RUNNING
        return Status.ERROR if self.failed or self.stopped_by or self.is_dead else Status.SUCCESS

    @property
    def duration(self) -> timedelta | None:
        return None if self.finished_at is None else self.finished_at - self.started_at


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldInterval:
    """Time during which starts in a database were on hold."""

    database: str
    reason: str  # server_busy or circuit_open
    started_at: datetime
    finished_at: datetime | None  # None if it continues or its end is unknown


class BarState(StrEnum):
    """What a bar shows about its view."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"
    FAILED = "failed"
    HELD = "held"
    INTERRUPTED = "interrupted"


def bar_state(status: Status, *, reason: str | None, is_interrupted: bool) -> BarState:
    """Return the state of a started view."""
    if status is Status.SUCCESS:
        return BarState.SKIPPED if reason == Outcome.SKIPPED else BarState.SUCCEEDED
    if status is not Status.ERROR:
        return BarState.RUNNING
    if is_interrupted:
        return BarState.INTERRUPTED
    return BarState.HELD if reason in set(HeldReason) else BarState.FAILED


UNPUBLISHED = (BarState.FAILED, BarState.HELD, BarState.INTERRUPTED)  # readers keep the old rows; most urgent first


@dataclass(frozen=True, kw_only=True, slots=True)
class TimelineBar:
    """One view of a run."""

    history_id: int = 0
    table_name: str
    report_name: str
    status: Status
    started_at: datetime
    finished_at: datetime | None
    rows: int | None
    worker_number: int | None = None  # from 1; None if unknown
    worker_wait_seconds: float | None = None  # ready, but every worker was busy
    throttle_wait_seconds: float | None = None  # held by the start delay, the throttle or the circuit breaker
    lock_wait_seconds: float | None = None
    rows_inserted: int | None = None
    rows_deleted: int | None = None
    reason: str | None = None  # of a failure
    mode: str | None = None  # plain or concurrent; None if unknown, or if the view was created
    mode_reason: str | None = None  # a sentence, if the mode was chosen by measurement
    consistent_group: str | None = None  # with which it was refreshed; None if alone
    is_interrupted: bool = False  # the run ended before the view
    has_started: bool = True  # otherwise the run ended while the view was pending
    lane: int = 0  # from 1
    previous_member_ended_at: datetime | None = None  # None for the first member, and without a consistent group

    @property
    def duration(self) -> timedelta | None:
        return None if self.finished_at is None else self.finished_at - self.started_at

    @property
    def worker_since(self) -> datetime:
        """When its worker began with it. Members of a consistent group start together, and follow one another."""
        return max(self.started_at, self.previous_member_ended_at or self.started_at)

    @property
    def ready_at(self) -> datetime:
        """When every dependency in this run had ended."""
        return self.started_at - timedelta(seconds=(self.worker_wait_seconds or 0) + (self.throttle_wait_seconds or 0))

    @property
    def state(self) -> BarState:
        return bar_state(self.status, reason=self.reason, is_interrupted=self.is_interrupted)

    @property
    def rows_unchanged(self) -> int | None:
        """The rows that a concurrent refresh left as they were. None if unknown."""
        return unchanged_rows(self.mode, self.rows, self.rows_inserted)


def assign_lanes(
    refreshes: Iterable[tuple[float, int, float, str, str | None]],
) -> Mapping[str, tuple[int, float | None]]:
    """Return the lane of each view, in the order of starts: that of its worker, or the next free one.

    A refresh is its start in seconds, the number of its worker (0: unknown), its end, its view and its consistent
    group. A lane can be taken, because workers of two databases share numbers and a run without metrics has none.
    Members of a group overlap by their times, but one worker refreshes them one after another. So the lane of a view
    comes with the end of the member before it, or None.
    """
    last_in_lane: dict[int, tuple[float, str | None]] = {}  # end and group
    lanes = {}
    for start, worker, end, view, group in sorted(refreshes, key=itemgetter(0, 1, 2, 3)):
        number, previous_end = worker or 1, None
        while (last := last_in_lane.get(number)) and last[0] > start:
            if group is not None and group == last[1]:
                previous_end = last[0]
                break
            number += 1
        last_in_lane[number] = end, group
        lanes[view] = number, previous_end
    return lanes


def most_relevant(bars: Sequence[TimelineBar], limit: int, *, preferred: Collection[str] = ()) -> Sequence[TimelineBar]:
    """Return the most relevant bars in their order.

    These are the ones without new rows and running ones, then those of preferred views, then the longest.
    """
    if len(bars) <= limit:
        return bars
    urgent = {*UNPUBLISHED, BarState.RUNNING}

    def rank(bar: TimelineBar) -> tuple[bool, bool, timedelta]:
        return bar.state not in urgent, bar.table_name not in preferred, -(bar.duration or timedelta())

    chosen = {bar.table_name for bar in nsmallest(limit, bars, key=rank)}
    return [bar for bar in bars if bar.table_name in chosen]


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """A run from its start to its end or to now."""

    run: RunTotals
    now: datetime  # by the database's clock
    bars: Sequence[TimelineBar]  # of started views
    pending_count: int  # views not started
    holds: Sequence[HoldInterval]
    never_started: Sequence[TimelineBar] = ()  # views that were pending when the run ended

    @property
    def view_count(self) -> int:
        return len(self.bars) + len(self.never_started) + self.pending_count

    @property
    def counts(self) -> Mapping[BarState, int]:
        """Return the numbers of views in each state that occurs, and always those that succeeded and failed."""
        found = Counter(bar.state for bar in (*self.bars, *self.never_started))
        always = {BarState.SUCCEEDED, BarState.FAILED}
        return {state: found[state] for state in BarState if found[state] or state in always}

    @property
    def counts_text(self) -> Text:
        """The counts as a sentence, such as `25 views: 24 succeeded, 1 failed.`"""
        pending = [count_text("pending", self.pending_count)] if self.pending_count else []
        counts = Text.joined([*(count_text(state, number) for state, number in self.counts.items()), *pending])
        return Text("{views}: {counts}.", views=format_count(self.view_count, "view"), counts=counts)

    @property
    def unpublished(self) -> Sequence[TimelineBar]:
        """The failed, held and interrupted views, in this order, each by its start."""
        bars = [bar for bar in (*self.bars, *self.never_started) if bar.state in UNPUBLISHED]
        return sorted(bars, key=lambda bar: UNPUBLISHED.index(bar.state))

    @property
    def end(self) -> datetime:
        return self.run.finished_at or max([self.now, *(bar.started_at for bar in self.bars)])

    @property
    def duration(self) -> timedelta:
        return self.end - self.run.started_at


def describe_reason(reason: str) -> str:
    """Describe the reason of a failure or a hold."""
    descriptions = {
        "server_busy": Text("the throttle: the server was busy"),
        "circuit_open": Text("the circuit breaker was open"),
    }
    return descriptions.get(reason, reason.replace("_", " "))

"""Nights: the runs that together refresh most views, apart from refreshes by hand."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from seeder.domain.monitoring.view_counts import count_text
from seeder.domain.nouns import Noun
from seeder.texts import Text

_MAX_GAP = timedelta(hours=3)  # between the runs of a night
# A worker takes up the next part of a request at once. A schedule with the same name starts later.
_MAX_PAUSE_OF_REQUEST = timedelta(minutes=2)
_MAX_BY_HAND = 4
_GRACE = timedelta(minutes=5)  # a cluster looks for due schedules twice a minute


@dataclass(frozen=True, kw_only=True, slots=True)
class NightRun:
    """A run, as far as it decides which night it belongs to."""

    run_id: str
    description: str
    requested_by: str
    started_at: datetime
    finished_at: datetime | None
    stopped_by: str | None
    is_alive: bool  # its process lives; only of an unfinished run
    is_regular: bool  # scheduled, or about as large as the largest

    @property
    def is_running(self) -> bool:
        return self.finished_at is None and self.is_alive

    @property
    def is_interrupted(self) -> bool:
        return self.stopped_by is not None or (self.finished_at is None and not self.is_alive)


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """The runs of a night, or one run by hand."""

    runs: Sequence[NightRun]  # earliest first
    is_night: bool

    @property
    def started_at(self) -> datetime:
        return self.runs[0].started_at

    @property
    def finished_at(self) -> datetime | None:
        """The end of the last run. None if one is running, or if no end is known."""
        ends = [run.finished_at for run in self.runs if run.finished_at is not None]
        return None if self.is_running else max(ends, default=None)

    @property
    def requested_by(self) -> str | None:
        """What requested all its runs. None if they differ."""
        return self.runs[0].requested_by if len({run.requested_by for run in self.runs}) == 1 else None

    @property
    def is_running(self) -> bool:
        return any(run.is_running for run in self.runs)

    @property
    def interrupted_by(self) -> str | None:
        """What ended the last run early. None if it ended by itself, or runs."""
        last = max(self.runs, key=lambda run: run.started_at)
        return (last.stopped_by or Text("killed")) if last.is_interrupted else None

    def end(self, now: datetime) -> datetime:
        """Return the end as far as it is known."""
        ends = [run.finished_at or (now if run.is_alive else run.started_at) for run in self.runs]
        return max(ends)


def group_runs(runs: Iterable[NightRun], now: datetime) -> list[Round]:
    """Return the nights and the runs by hand, latest first.

    Regular runs that follow each other within three hours make a night, such as those of several agencies or of the
    parts of a request. The same request makes another night, unless its last run was interrupted.
    """
    rounds: list[Round] = []
    night: Round | None = None
    for run in sorted(runs, key=lambda one: (one.started_at, one.run_id)):
        if not run.is_regular:
            rounds.append(Round(runs=(run,), is_night=False))
            continue
        if night is not None and run.started_at - night.end(now) <= _MAX_GAP and not _is_repetition(run, night):
            rounds.remove(night)
            night = Round(runs=(*night.runs, run), is_night=True)
        else:
            night = Round(runs=(run,), is_night=True)
        rounds.append(night)
    return sorted(rounds, key=lambda one: one.started_at, reverse=True)


def by_hand_since_night(rounds: Sequence[Round]) -> Sequence[Round]:
    """Return the runs by hand since the last night, latest first. Retries must not displace nights."""
    last = max((one.started_at for one in rounds if one.is_night), default=None)
    return [one for one in rounds if not one.is_night and (last is None or one.started_at > last)][:_MAX_BY_HAND]


def _is_repetition(run: NightRun, night: Round) -> bool:
    """Return whether the night already has a complete run of the same request."""
    same = [one for one in night.runs if (one.description, one.requested_by) == (run.description, run.requested_by)]
    ends = [one.finished_at for one in same if one.finished_at is not None]
    if not ends or same[-1].is_interrupted or any(one.is_running for one in same):
        return False
    return run.started_at - max(ends) > _MAX_PAUSE_OF_REQUEST


MAX_NAMED = 2  # views of a fact; of more, only the number is shown
_REFRESHED = Noun("{refreshed:,} of {number:,} view refreshed", "{refreshed:,} of {number:,} views refreshed")
_CURRENT = Noun(
    "{refreshed:,} of {number:,} view refreshed or unchanged",
    "{refreshed:,} of {number:,} views refreshed or unchanged",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NightFact:
    """A number of views, such as `1 failed`, and their names if they are few."""

    text: str
    is_problem: bool = False
    views: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class NightCounts:
    """The views of a night by their last result in it."""

    views: int = 0
    refreshed: int = 0  # or created
    skipped: int = 0  # a refresh would have published the same rows
    failed: int = 0
    held: int = 0
    interrupted: int = 0
    running: int = 0
    pending: int = 0
    repaired: int = 0  # of the failed, held and interrupted ones, those refreshed since
    absent: int = 0  # listed views that are not among `views`
    failed_views: Sequence[str] = ()  # at most MAX_NAMED
    absent_views: Sequence[str] = ()  # the same

    @property
    def unsuccessful(self) -> int:
        return self.failed + self.held + self.interrupted

    def of_dead_runs(self) -> "NightCounts":
        """Return the counts if no run of the night lives: what is open in the rows was interrupted."""
        return replace(self, interrupted=self.interrupted + self.running + self.pending, running=0, pending=0)

    @property
    def facts_of_run_by_hand(self) -> Sequence[NightFact]:
        """The facts without views that the run did not select. Of a single view, only how it ended."""
        facts = [*replace(self, absent=0, absent_views=()).facts]
        return facts[1:] or facts if self.views == 1 else facts

    @property
    def facts(self) -> Iterator[NightFact]:
        """The sum, and each of its parts that has views."""
        singular, plural = _CURRENT if self.skipped else _REFRESHED
        views, refreshed = self.views + self.absent, self.refreshed + self.skipped
        yield NightFact(text=Text.counted(singular, plural, views, refreshed=refreshed))
        parts: Iterable[tuple[int, str, bool, Sequence[str]]] = (
            (self.failed, count_text("failed", self.failed), True, self.failed_views),
            (self.held, count_text("held", self.held), True, ()),
            (self.interrupted, count_text("interrupted", self.interrupted), True, ()),
            (self.running, count_text("running", self.running), False, ()),
            (self.pending, count_text("pending", self.pending), False, ()),
            (self.repaired, Text("{number:,} of these refreshed since", number=self.repaired), False, ()),
            (self.absent, count_text("not selected", self.absent), False, self.absent_views),
        )
        for number, text, is_problem, names in parts:
            if number:
                shown = sorted(names) if len(names) == number else ()
                yield NightFact(text=text, is_problem=is_problem, views=shown)


def overdue_since(schedules_due: Iterable[datetime], now: datetime) -> datetime | None:
    """Return since when a schedule is overdue, or None.

    A cluster moves each due schedule to its next time. One that stays due shows that no cluster works.
    """
    return min((due for due in schedules_due if due < now - _GRACE), default=None)


def missing_since(
    night: Round | None, schedules_due: Iterable[datetime], now: datetime, *, max_age: timedelta
) -> datetime | None:
    """Return since when a night is missing, or None.

    A schedule that is overdue proves it. Without one, as with cron, the last night must not be older than `max_age`.
    """
    if night is not None and night.is_running:
        return None
    overdue = overdue_since(schedules_due, now)
    if overdue is not None and (night is None or night.started_at < overdue):
        return overdue
    if night is not None and now - night.started_at > max_age:
        return night.started_at
    return None

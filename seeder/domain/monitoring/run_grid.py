"""The grid of runs and views: which runs have a column, and what a cell shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from seeder.domain.monitoring.nights import Round, by_hand_since_night
from seeder.domain.outcomes import HeldReason, Outcome, Status

MAX_COLUMNS = 14


class CellState(StrEnum):
    """How a view ended in the runs of a column, in the words of the legend."""

    REFRESHED = "refreshed"
    SKIPPED = "skipped"
    FAILED = "failed"
    HELD = "held"
    INTERRUPTED = "interrupted"
    RUNNING = "running"
    PENDING = "pending"
    ABSENT = "not selected"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """The last refresh of a view in the runs of a column."""

    state: CellState
    started_at: datetime | None = None
    finished_at: datetime | None = None
    reason: str | None = None  # of a failure

    @property
    def css_class(self) -> str:
        return self.state.replace(" ", "-")

    @property
    def duration(self) -> timedelta | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


ABSENT = Cell(state=CellState.ABSENT)


def is_held(cells: Sequence[Cell]) -> bool:
    """Return whether data checks held the last refresh that ended."""
    ended = [cell.state for cell in cells if cell.state in _ENDED]
    return ended[-1:] == [CellState.HELD]


def choose_columns(rounds: Sequence[Round]) -> list[Round]:
    """Return the latest nights and the latest runs by hand since, earliest first."""
    nights = [one for one in rounds if one.is_night]
    by_hand = by_hand_since_night(rounds)
    return sorted([*nights[: MAX_COLUMNS - len(by_hand)], *by_hand], key=lambda one: one.started_at)


def cell_state(status: Status, *, reason: str | None, is_interrupted: bool, is_run_alive: bool) -> CellState:
    """Return the state of a history row. Open rows of a run that ended without closing them were interrupted."""
    if status in _OPEN:
        return _OPEN[status] if is_run_alive else CellState.INTERRUPTED
    if status is Status.SUCCESS:
        return CellState.SKIPPED if reason == Outcome.SKIPPED else CellState.REFRESHED
    if is_interrupted:
        return CellState.INTERRUPTED
    return CellState.HELD if reason in set(HeldReason) else CellState.FAILED


_ENDED = {CellState.REFRESHED, CellState.SKIPPED, CellState.FAILED, CellState.HELD, CellState.INTERRUPTED}
_OPEN: Mapping[Status, CellState] = {Status.RUNNING: CellState.RUNNING, Status.PENDING: CellState.PENDING}

"""The columns and cells of the grid of runs and views."""

from datetime import UTC, datetime, timedelta

import pytest

from seeder.domain.monitoring.nights import NightRun, Round
from seeder.domain.monitoring.run_grid import Cell, CellState, cell_state, choose_columns, is_held
from seeder.domain.outcomes import Status

MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)


def round_at(hours: float, *, is_night: bool) -> Round:
    started_at = MIDNIGHT + timedelta(hours=hours)
    run = NightRun(
        run_id=str(hours),
        description="a request",
        requested_by="a test",
        started_at=started_at,
        finished_at=started_at,
        stopped_by=None,
        is_alive=False,
        is_regular=is_night,
    )
    return Round(runs=(run,), is_night=is_night)


def test_only_the_latest_runs_by_hand_since_the_last_night_have_columns() -> None:
    nights = [round_at(2 - 24 * number, is_night=True) for number in range(20)]
    by_hand = [round_at(hours, is_night=False) for hours in (9, 8, 7, 6, 5, 1)]
    columns = [one.runs[0].run_id for one in choose_columns([*by_hand, *nights])]
    assert columns == [*(str(2 - 24 * number) for number in range(9, -1, -1)), "6", "7", "8", "9"]
    assert len(choose_columns(nights)) == 14
    assert [one.runs[0].run_id for one in choose_columns(by_hand)] == ["6", "7", "8", "9"]


@pytest.mark.parametrize(
    ("status", "reason", "facts", "expected"),
    [
        (Status.SUCCESS, None, (), CellState.REFRESHED),
        (Status.SUCCESS, "skipped", (), CellState.SKIPPED),
        (Status.ERROR, "division_by_zero", (), CellState.FAILED),
        (Status.ERROR, "held", (), CellState.HELD),
        (Status.ERROR, "held_group", (), CellState.HELD),
        (Status.ERROR, None, ("interrupted",), CellState.INTERRUPTED),
        (Status.RUNNING, None, ("alive",), CellState.RUNNING),
        (Status.PENDING, None, ("alive",), CellState.PENDING),
        (Status.RUNNING, None, (), CellState.INTERRUPTED),
    ],
)
def test_cell_shows_the_outcome_of_a_row(
    status: Status, reason: str | None, facts: tuple[str, ...], expected: CellState
) -> None:
    is_interrupted, is_run_alive = "interrupted" in facts, "alive" in facts
    state = cell_state(status, reason=reason, is_interrupted=is_interrupted, is_run_alive=is_run_alive)
    assert state is expected


def test_view_is_held_if_its_last_ended_refresh_was() -> None:
    def held(*states: CellState) -> bool:
        return is_held([Cell(state=state) for state in states])

    assert held(CellState.HELD, CellState.ABSENT)
    assert held(CellState.HELD, CellState.RUNNING)
    assert not held(CellState.HELD, CellState.REFRESHED)
    assert not held()

"""When a view is vacuumed."""

from datetime import UTC, datetime

import pytest

from seeder.domain.dead_rows import is_vacuum_due
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.refresh_costs import RefreshCost

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def is_due(
    deleted: int | None, rows: int | None = 2000, mode: RefreshMode | None = RefreshMode.CONCURRENT, percent: int = 5
) -> bool:
    cost = RefreshCost(rows_inserted=deleted, rows_deleted=deleted)
    result = RefreshResult(outcome=Outcome.REFRESHED, started_at=NOW, finished_at=NOW, mode=mode, rows=rows, cost=cost)
    return is_vacuum_due(result, churn_percent=percent)


@pytest.mark.parametrize(("deleted", "expected"), [(99, False), (100, True), (2000, True), (None, False)])
def test_vacuum_is_due_from_a_share_of_dead_rows(deleted: int | None, *, expected: bool) -> None:
    assert is_due(deleted) is expected


def test_vacuum_is_not_due_for_fewer_dead_rows_than_autovacuum_counts() -> None:
    assert (is_due(49, rows=10), is_due(50, rows=10)) == (False, True)


def test_vacuum_is_due_when_every_row_was_deleted() -> None:
    assert is_due(1000, rows=0)


def test_vacuum_is_never_due_after_a_plain_refresh_or_by_setting() -> None:
    assert not is_due(2000, mode=RefreshMode.PLAIN)
    assert not is_due(2000, mode=None)
    assert not is_due(2000, percent=0)
    assert not is_due(2000, rows=None)

from dataclasses import replace

import pytest

from seeder.domain.refresh_costs import (
    BackendCost,
    StatementCost,
    add_statement_costs,
    backend_cost_delta,
    statement_cost_delta,
)

BEFORE = StatementCost(
    calls=4,
    total_exec_time=8000.0,
    rows=40,
    shared_blocks_hit=1,
    shared_blocks_read=2,
    shared_blocks_dirtied=3,
    shared_blocks_written=4,
    temp_blocks_read=5,
    temp_blocks_written=6,
    wal_bytes=700,
)
ONE_CALL = replace(BEFORE, calls=1, total_exec_time=1000.0, rows=0)


def test_cost_of_one_refresh_is_the_difference() -> None:
    assert statement_cost_delta(BEFORE, add_statement_costs(BEFORE, ONE_CALL)) == ONE_CALL


def test_cost_of_two_refreshes_is_their_sum() -> None:
    total = add_statement_costs(BEFORE, BEFORE)
    assert (total.calls, total.total_exec_time, total.wal_bytes) == (8, 16000.0, 1400)


def test_first_refresh_has_no_cost_before_it() -> None:
    assert statement_cost_delta(None, ONE_CALL) == ONE_CALL
    assert statement_cost_delta(None, BEFORE) is None


def test_removed_statistics_entry_gives_no_cost() -> None:
    assert statement_cost_delta(BEFORE, None) is None
    assert statement_cost_delta(None, None) is None


@pytest.mark.parametrize("calls", [3, 4, 6])
def test_difference_of_other_than_one_call_gives_no_cost(calls: int) -> None:
    assert statement_cost_delta(BEFORE, replace(BEFORE, calls=calls)) is None


@pytest.mark.parametrize("figure", [field for field in StatementCost.__slots__ if field != "calls"])
def test_smaller_counter_is_recognized_as_a_reset(figure: str) -> None:
    after = add_statement_costs(BEFORE, ONE_CALL)
    value = getattr(BEFORE, figure)
    assert statement_cost_delta(BEFORE, replace(after, **{figure: value})) is not None
    assert statement_cost_delta(BEFORE, replace(after, **{figure: value - type(value)(1)})) is None


BACKEND = BackendCost(pid=7, read_bytes=1, write_bytes=2, wal_bytes=3)


def test_backend_cost_is_the_difference_of_its_counters() -> None:
    assert backend_cost_delta(BACKEND, replace(BACKEND, write_bytes=12)) == replace(
        BACKEND, read_bytes=0, write_bytes=10, wal_bytes=0
    )


@pytest.mark.parametrize("after", [None, replace(BACKEND, pid=8), replace(BACKEND, wal_bytes=2)])
def test_other_or_reset_backend_gives_no_cost(after: BackendCost | None) -> None:
    assert backend_cost_delta(BACKEND, after) is None
    assert backend_cost_delta(None, after) is None

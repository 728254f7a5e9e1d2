from dataclasses import replace
from datetime import timedelta

import pytest

from seeder.domain.refresh_costs import (
    BackendCost,
    ProcessCost,
    StatementCost,
    add_statement_costs,
    backend_cost_delta,
    cpu_time_delta,
    statement_cost_delta,
)

SECOND = timedelta(seconds=1)
BEFORE = StatementCost(
    calls=4,
    total_exec_time=8 * SECOND,
    rows=40,
    shared_blocks_hit=1,
    shared_blocks_read=2,
    shared_blocks_dirtied=3,
    shared_blocks_written=4,
    temp_blocks_read=5,
    temp_blocks_written=6,
    wal_bytes=700,
)
ONE = replace(BEFORE, calls=1, total_exec_time=SECOND, rows=0)


def test_what_one_refresh_cost_is_the_difference() -> None:
    assert statement_cost_delta(BEFORE, add_statement_costs(BEFORE, ONE)) == ONE


def test_two_together_are_the_sum_and_its_mean_is_by_call() -> None:
    both = add_statement_costs(BEFORE, BEFORE)
    assert (both.calls, both.total_exec_time, both.wal_bytes, both.mean_exec_time) == (8, 16 * SECOND, 1400, 2 * SECOND)


def test_the_first_refresh_ever_has_nothing_before_it() -> None:
    assert statement_cost_delta(None, ONE) == ONE
    assert statement_cost_delta(None, BEFORE) is None


def test_an_entry_that_is_gone_says_nothing() -> None:
    assert statement_cost_delta(BEFORE, None) is None
    assert statement_cost_delta(None, None) is None


@pytest.mark.parametrize("calls", [3, 4, 6])
def test_other_than_one_call_is_not_the_cost_of_one_refresh(calls: int) -> None:
    assert statement_cost_delta(BEFORE, replace(BEFORE, calls=calls)) is None


@pytest.mark.parametrize("figure", [field for field in StatementCost.__slots__ if field != "calls"])
def test_any_smaller_figure_tells_of_a_reset(figure: str) -> None:
    after = add_statement_costs(BEFORE, ONE)
    value = getattr(BEFORE, figure)
    assert statement_cost_delta(BEFORE, replace(after, **{figure: value})) is not None
    assert statement_cost_delta(BEFORE, replace(after, **{figure: value - type(value)(1)})) is None


BACKEND = BackendCost(pid=7, read_bytes=1, write_bytes=2, wal_bytes=3)


def test_a_backend_has_written_what_it_counts_more_than_before() -> None:
    assert backend_cost_delta(BACKEND, replace(BACKEND, write_bytes=12)) == replace(
        BACKEND, read_bytes=0, write_bytes=10, wal_bytes=0
    )


@pytest.mark.parametrize("after", [None, replace(BACKEND, pid=8), replace(BACKEND, wal_bytes=2)])
def test_another_backend_or_one_that_was_reset_says_nothing(after: BackendCost | None) -> None:
    assert backend_cost_delta(BACKEND, after) is None
    assert backend_cost_delta(None, after) is None


def test_the_time_of_another_process_says_nothing() -> None:
    process = ProcessCost(pid=7, start_ticks=70, cpu_time=SECOND, memory_bytes=1)
    later = replace(process, cpu_time=3 * SECOND)
    assert cpu_time_delta(process, later) == 2 * SECOND
    assert cpu_time_delta(process, replace(later, start_ticks=71)) is None
    assert cpu_time_delta(process, replace(later, pid=8)) is None
    assert cpu_time_delta(None, later) is None
    assert cpu_time_delta(process, None) is None

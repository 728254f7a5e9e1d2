"""The comparison of modes: its rows, and the choice at the ends of the reader budget."""

from datetime import timedelta

import pytest

from bench.probes.time_modes import measure
from tests.conftest import another_session


@pytest.mark.usefixtures("bare_database")
@pytest.mark.parametrize(("budget", "plain_chosen"), [(timedelta(hours=1), 2), (timedelta(), 0)])
def test_mode_is_the_better_one_at_both_ends_of_the_budget(budget: timedelta, plain_chosen: int) -> None:
    with another_session() as session:
        try:
            cells = measure(session, sizes=[2000], churns=[0, 30], rounds=2, budget=budget)
        finally:  # no test resets the schema public
            session.execute("DROP TABLE IF EXISTS public.base CASCADE")
    assert [(cell["rows"], cell["churn"], cell["rounds"]) for cell in cells] == [(2000, 0, 2), (2000, 30, 2)]
    for cell in cells:
        assert cell["auto"] == cell["better"] > 0
        assert (cell["plain_chosen"], cell["too_long"]) == (plain_chosen, 0)

"""The comparison of runs that skip: every part of the tables that changed is refreshed, and nothing else."""

from datetime import timedelta

import pytest

from bench.probes.time_skips import measure
from seeder.domain import skip_decision


@pytest.mark.slow
@pytest.mark.usefixtures("contract_tables")
def test_unchanged_views_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skip_decision, "MIN_DURATION", timedelta())
    cells = measure(tables=2, rows=1000, rounds=1)
    runs = {name: run for name, [run] in cells.items()}
    assert {name: run["skipped"] for name, run in runs.items() if run["skipped"]} == {
        "nothing changed": 2,
        "5 % changed": 1,
    }
    assert not any(run["failed"] for run in runs.values())

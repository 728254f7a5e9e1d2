"""The comparison of runs that skip: every part of the tables that changed is refreshed, and nothing else."""

from datetime import timedelta

import pytest

from bench.probes.time_skips import measure
from seeder.domain import skip_decision


@pytest.mark.slow
@pytest.mark.usefixtures("contract_tables")
def test_unchanged_views_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skip_decision, "MIN_DURATION", timedelta())
    cells = measure(tables=2, rows=1000)
    assert {name: cell["skipped"] for name, cell in cells.items() if cell["skipped"]} == {
        "nothing changed": 4,
        "some changed": 2,
    }
    assert not any(cell["failed"] for cell in cells.values())

"""The server's memory for a release snapshot of a large view."""

import os
from typing import Any

import pytest

from bench.probes.snapshot_memory import create_view, measure

# `make soak` sets more.
ROWS = int(os.environ.get("SEEDER_SNAPSHOT_ROWS", "1000000"))
MEMORY_MB = int(os.environ.get("SEEDER_SNAPSHOT_MEMORY", "64"))


@pytest.mark.slow
@pytest.mark.usefixtures("contract_tables")
@pytest.mark.parametrize("connections", [1, 2])
def test_snapshot_of_a_large_view_stays_within_its_memory(settings: Any, connections: int) -> None:
    settings.SEEDER = {"SNAPSHOT_MEMORY_MB": MEMORY_MB, "SNAPSHOT_CONNECTIONS": connections}
    create_view(ROWS)
    measured = measure()
    assert measured["rows"] == ROWS
    assert MEMORY_MB / 4 < measured["memory_mb"] <= MEMORY_MB

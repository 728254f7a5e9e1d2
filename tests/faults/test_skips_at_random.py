"""No skip leaves rows that differ from the query's result. SEEDER_SKIPS is the number of random interleavings."""

import os
from contextlib import ExitStack

import pytest

from seeder.postgres.closed_queries import why_not_closed
from tests.conftest import sql
from tests.faults.private_server import PrivateServer
from tests.faults.skip_soak import SkipSoak

STEPS, SEED = int(os.environ.get("SEEDER_SKIPS", "2000")), int(os.environ.get("SEEDER_SKIP_SEED", "20261130"))


@pytest.mark.slow
@pytest.mark.usefixtures("bare_database")
def test_random_interleaving_never_leaves_wrong_rows(server: PrivateServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.start(max_prepared_transactions="8")
    with ExitStack() as stack:
        soak = SkipSoak(SEED, stack, monkeypatch)
        assert set(why_not_closed("default", soak.views).values()) == {()}
        for step in range(STEPS):
            soak.step()
            if step % 400 == 399:
                soak.tidy()
    assert soak.false_skips == []
    assert soak.counts["skipped, rows right"] > STEPS / 50, soak.counts
    assert soak.counts["changed, rows wrong"] > STEPS / 50, soak.counts
    sql("DROP SCHEMA s CASCADE")

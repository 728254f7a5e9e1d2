"""No skip leaves rows that differ from the query's result. SEEDER_SKIPS is the number of random interleavings."""

import logging
import os
from contextlib import ExitStack

import pytest

from seeder.domain.skip_proof import Change, ChangedFact
from seeder.domain.view_names import ViewName
from seeder.postgres.closed_queries import why_not_closed
from tests.conftest import sql
from tests.faults.private_server import PrivateServer
from tests.faults.skip_soak import SkipSoak
from tests.integration.skipping.proved_views import change_since, take_proof

STEPS, SEED = int(os.environ.get("SEEDER_SKIPS", "800")), int(os.environ.get("SEEDER_SKIP_SEED", "20261130"))


@pytest.mark.slow
@pytest.mark.usefixtures("bare_database")
def test_random_interleaving_never_leaves_wrong_rows(server: PrivateServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.start(max_prepared_transactions="8")
    with ExitStack() as stack:
        soak = SkipSoak(SEED, stack, monkeypatch)
        stack.callback(soak.tidy)  # a prepared transaction would keep the database
        assert set(why_not_closed("default", soak.views).values()) == {()}
        for step in range(STEPS):
            soak.step()
            if step % 100 == 99:
                soak.tidy()
    logging.getLogger(__name__).info("%s", dict(soak.counts))  # to see it: pytest --log-cli-level=INFO
    assert soak.false_skips == []
    assert soak.counts["skipped, rows right"] > STEPS / 50, soak.counts
    assert soak.counts["changed, rows wrong"] > STEPS / 50, soak.counts
    sql("DROP SCHEMA s CASCADE")


@pytest.mark.slow
@pytest.mark.usefixtures("bare_database")
def test_crash_keeps_proofs_but_not_those_of_unlogged_tables(server: PrivateServer) -> None:
    """A crash resets the statistics and empties unlogged tables, which are filled again here with as many rows."""
    sql("CREATE TABLE public.kept AS SELECT i FROM generate_series(1, 100) AS i")
    sql("CREATE UNLOGGED TABLE public.lost AS SELECT i FROM generate_series(1, 100) AS i")
    sql("CREATE MATERIALIZED VIEW public.of_kept AS SELECT count(*) AS n, sum(i) AS total FROM public.kept")
    sql("CREATE MATERIALIZED VIEW public.of_lost AS SELECT count(*) AS n, sum(i) AS total FROM public.lost")
    views = [ViewName(schema="public", name=name) for name in ("of_kept", "of_lost")]
    proofs = {view: take_proof(view) for view in views}
    server.restart(immediately=True)
    for filled in (False, True):
        if filled:
            sql("INSERT INTO public.lost SELECT generate_series(1, 100)")
        changes = [change_since(proof, view) for view, proof in proofs.items() if proof is not None]
        assert changes == [None, Change(fact=ChangedFact.INPUT, relation="public.lost")]

"""The server is restarted at moments that nobody chose. SEEDER_RESTARTS says how often."""

import os
import random
import subprocess
from contextlib import suppress
from functools import partial

import pytest

from seeder.models import RunHistory
from tests.acceptance.refresh_processes import start
from tests.conftest import create_custom_manifest, sql
from tests.faults.gated_views import GATED_QUERY, build_gate, latest_statuses, open_gate
from tests.faults.private_server import MAX_WAIT_SECONDS, PrivateServer, wait_until

RESTARTS = int(os.environ.get("SEEDER_RESTARTS", "2"))
VIEWS = [f"v{number}" for number in range(12)]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("contract_tables")]


def has_come_to(successes: int) -> bool:
    return RunHistory.objects.filter(status="success").count() >= successes


def test_no_restart_loses_a_view_refreshes_it_in_vain_or_makes_a_row_lie(server: PrivateServer) -> None:
    for name in VIEWS:
        create_custom_manifest(
            f"reporting.{name}", "SELECT current_setting('application_name') AS run FROM pg_sleep(0.05)"
        )
    build_gate()
    create_custom_manifest("reporting.held", GATED_QUERY)  # so that no run is over before its restart
    chance = random.Random(20261121)  # noqa: S311  # moments, not secrets
    for _ in range(RESTARTS):
        open_gate(opened=False)
        process = start(SEEDER_MAX_WORKERS="4", SEEDER_MAX_RETRIES="12")
        seen = chance.randint(1, len(VIEWS) - 2)
        wait_until(partial(has_come_to, seen))
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0, 0.05))
        server.restart(immediately=chance.random() < 0.5)
        open_gate()
        out, err = process.communicate(timeout=2 * MAX_WAIT_SECONDS)
        assert (process.returncode, err) == (0, ""), out
        assert latest_statuses() == dict.fromkeys([*VIEWS, "held"], ("success", None))
        [run] = RunHistory.objects.values_list("run_id", flat=True).distinct()
        for name in [*VIEWS, "held"]:
            assert sql(f"SELECT run FROM reporting.{name}") == [(f"seeder {run}",)]
        RunHistory.objects.all().delete()

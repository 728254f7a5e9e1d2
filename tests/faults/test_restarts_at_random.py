"""The server restarts at random times. SEEDER_RESTARTS is the number of restarts."""

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


def has_successes(successes: int) -> bool:
    return RunHistory.objects.filter(status="success").count() >= successes


def test_random_restart_loses_no_view_and_leaves_no_wrong_row(server: PrivateServer) -> None:
    for name in VIEWS:
        create_custom_manifest(
            f"reporting.{name}", "SELECT current_setting('application_name') AS run FROM pg_sleep(0.05)"
        )
    build_gate()
    create_custom_manifest("reporting.held", GATED_QUERY)  # so that no run ends before its restart
    generator = random.Random(20261121)  # noqa: S311  # not used for security
    for _ in range(RESTARTS):
        open_gate(opened=False)
        process = start(SEEDER_MAX_WORKERS="4", SEEDER_MAX_RETRIES="12")
        successes_before = generator.randint(1, len(VIEWS) - 2)
        wait_until(partial(has_successes, successes_before))
        with suppress(subprocess.TimeoutExpired):
            process.wait(generator.uniform(0, 0.05))
        server.restart(immediately=generator.random() < 0.5)
        open_gate()
        out, err = process.communicate(timeout=2 * MAX_WAIT_SECONDS)
        assert (process.returncode, err) == (0, ""), out
        assert latest_statuses() == dict.fromkeys([*VIEWS, "held"], ("success", None))
        [run] = RunHistory.objects.values_list("run_id", flat=True).distinct()
        for name in [*VIEWS, "held"]:
            assert sql(f"SELECT run FROM reporting.{name}") == [(f"seeder {run}",)]
        RunHistory.objects.all().delete()

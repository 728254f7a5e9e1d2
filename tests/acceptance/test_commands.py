"""Each command as a separate process. Most other tests call commands in their own process."""

from collections.abc import Callable

import pytest

from tests.conftest import CHECKOUT, CompletedCommand, create_custom_manifest

pytestmark = [pytest.mark.slow]
CAPTURE = ("capture_release_snapshot", "--table-name", "reporting.a", "--release-tag")
# In this order, because a command uses the results of earlier ones.
LINES = [
    ("install_schema",),
    ("refresh_all", "--json"),
    ("refresh_agency", "demo"),
    ("refresh_table", "reporting.a", "--show-changes", "5"),
    ("refresh_status", "--json"),
    ("explain_view", "reporting.a"),
    ("check_freshness",),
    ("freshness_link", "demo"),
    (*CAPTURE, "v1"),
    (*CAPTURE, "v2"),
    ("compare_release_snapshots", "1", "2"),
    ("doctor", "--fail-level", "error"),
    ("recover_runs",),
    ("reset_breaker",),
    ("prune_history", "--json"),
    ("schedule_refreshes",),
    ("send_notifications",),
    ("queue_status",),
]
NEEDS_REQUEST = {"cancel_refresh"}  # has its tests in test_queue.py
NEEDS_RUN = {"retry_run"}  # has its tests in test_interrupting.py
OF_DATA_CHECKS = {"waive_check", "accept_check", "sync_checks"}  # have tests in integration/data_checks
LONG_RUNNING = {"watch_queue"}  # has its own tests, in test_watchdog.py


@pytest.mark.usefixtures("empty_queue")
def test_each_command_runs_as_a_process(manage_process: Callable[..., CompletedCommand]) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    for line in LINES:
        ended = manage_process(*line)
        assert (ended.exit_code, ended.err) == (0, ""), line
        assert ended.out, line
    assert manage_process("refresh_agency", "unknown").exit_code == 2


def test_every_command_is_listed_here() -> None:
    commands = {path.stem for path in (CHECKOUT / "seeder" / "management" / "commands").glob("[a-z]*.py")}
    assert commands == {line[0] for line in LINES} | LONG_RUNNING | NEEDS_REQUEST | NEEDS_RUN | OF_DATA_CHECKS

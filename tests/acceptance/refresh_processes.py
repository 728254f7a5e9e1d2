"""Refreshes in processes of their own, and their backends on the server."""

import signal
import subprocess
import sys

from tests.conftest import CHECKOUT, process_environment, sql
from tests.polling import eventually

# The backends of refreshes that are in pg_sleep.
SLEEPING = (
    " FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event = 'PgSleep' AND application_name ~ '^seeder '"
)

_started: list["subprocess.Popen[str]"] = []


def start(**environment: str) -> "subprocess.Popen[str]":
    """Start `refresh_agency demo`, with one worker unless the environment has another number."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "refresh_agency", "demo"],
        cwd=CHECKOUT,
        env={**process_environment(), "SEEDER_MAX_WORKERS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # ignored in a background job
    )
    _started.append(process)
    return process


def kill_all() -> None:
    """Kill the processes of this test and terminate their sleeping backends."""
    while _started:
        with _started.pop() as process:
            process.kill()
    sql("SELECT pg_terminate_backend(pid)" + SLEEPING)


def wait_until(process: "subprocess.Popen[str]", statement: str) -> None:
    """Wait until the statement returns a row. The process must still be running then."""
    eventually(lambda: sql(statement) or process.poll() is not None)
    assert process.poll() is None

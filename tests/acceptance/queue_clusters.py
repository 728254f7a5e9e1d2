"""Queue clusters, each in a process group of its own, and the state of the queue."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

import psutil

from seeder.models import QueuedRefresh
from tests.conftest import CHECKOUT, process_environment, sql
from tests.polling import eventually

_started: list["subprocess.Popen[str]"] = []


def start(
    command: str = "qcluster", *options: str, capture_output: bool = False, **environment: str
) -> "subprocess.Popen[str]":
    """Start a cluster. Unless its output is captured and read, it is discarded, so that no pipe fills up."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", command, *options],
        cwd=CHECKOUT,
        env={**process_environment(), **environment},
        stdout=subprocess.PIPE if capture_output else subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    _started.append(process)
    return process


def kill(process: "subprocess.Popen[str]") -> None:
    """Kill a cluster with all its processes, as a crash of the machine does."""
    if process.poll() is not None:
        return  # another process may have its id
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGKILL)
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    process.wait(60)


def kill_all() -> None:
    while _started:
        with _started.pop() as process:
            kill(process)


def wait_until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    """Wait until the condition is true. On a timeout, show the queue."""
    eventually(
        condition, timeout=seconds, describe_failure=lambda: "\n".join(str(row) for row in QueuedRefresh.objects.all())
    )


def is_drained() -> bool:
    return QueuedRefresh.objects.exists() and not QueuedRefresh.objects.unfinished().exists()


def counted_query(name: str, seconds: float = 0) -> str:
    """Return a query that takes `seconds` and counts each committed refresh of its view."""
    sql("CREATE TABLE IF NOT EXISTS reporting.refreshed (name text)")
    sql(
        "CREATE OR REPLACE FUNCTION reporting.refreshed(name text) RETURNS text LANGUAGE sql VOLATILE"
        " AS 'INSERT INTO reporting.refreshed VALUES (name) RETURNING name'"
    )
    return f"SELECT reporting.refreshed('{name}') AS name FROM pg_sleep({seconds})"


def refresh_counts() -> dict[str, int]:
    return dict(sql("SELECT name, count(*) FROM reporting.refreshed GROUP BY 1"))

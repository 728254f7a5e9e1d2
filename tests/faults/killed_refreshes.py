"""Refreshes in processes of their own that a test kills, with their backends."""

import os
import signal
import subprocess
from contextlib import suppress

from django.db import connections

from seeder.models import RunHistory
from seeder.services.run import orphan_recovery
from tests.conftest import sql
from tests.faults.private_server import wait_until
from tests.polling import eventually

# The name is set for the transaction of a refresh.
REFRESHING = "SELECT pid FROM pg_stat_activity WHERE application_name ~ '^seeder '"


def refreshing_backends(process: "subprocess.Popen[str]") -> list[int]:
    """Wait until a backend refreshes or checks the view, or the process has ended. Return its process id."""
    found = list[int]()

    def is_refreshing() -> bool:
        found[:] = [pid for (pid,) in sql(REFRESHING)]
        return bool(found) or process.poll() is not None

    eventually(is_refreshing)
    return found


def kill(process: "subprocess.Popen[str]", backends: list[int], *, of_server: bool) -> None:
    """Kill the backends, which makes the server restart, or the process that refreshes."""
    if of_server and backends:
        for pid in backends:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=60)
    else:
        process.kill()
        process.communicate(timeout=60)


def wait_for_recovery() -> None:
    """Wait until the server answers, no backend refreshes, and no row is open."""

    def has_recovered() -> bool:
        connections.close_all()
        with suppress(Exception):
            orphan_recovery.recover_orphaned_runs()
            is_open = RunHistory.objects.filter(status__in=("pending", "running")).exists()
            return not is_open and not sql(REFRESHING)
        return False

    wait_until(has_recovered)

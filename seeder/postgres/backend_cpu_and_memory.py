"""CPU time and memory of backends that run on this machine, read from Linux's /proc."""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS

_PROC = Path("/proc")
_MAX_AGE_DIFFERENCE = 1.0  # seconds between the start of a process and the start time that PostgreSQL records for it


class ProcessId(NamedTuple):
    """A process, even if its pid is used again."""

    pid: int
    start_ticks: int  # clock ticks since boot


_backends: WeakKeyDictionary[Any, ProcessId | None] = WeakKeyDictionary()  # by psycopg connection


def backend_process(database: str) -> ProcessId | None:
    """Return the backend of this thread's connection, or None unless it is a process of this machine."""
    connection = sessions.driver_connection(database)
    if connection not in _backends:
        _backends[connection] = find_backend_process(database)
    return _backends[connection]


def find_backend_process(database: str) -> ProcessId | None:
    """Find the backend by pid, name and age.

    The pid alone can belong to another machine or container. Ages are compared because clocks can differ.
    """
    [(pid, age)] = sessions.query(database, STATEMENTS["backend_identity"])
    if sys.platform != "linux" or sessions.driver_connection(database).info.backend_pid != pid:  # a pooler's pid
        return None
    try:
        name, start_ticks = _name_and_start(_PROC / str(pid))
    except (OSError, ValueError):  # no such process, or it is hidden
        return None
    age_here = time.clock_gettime(time.CLOCK_BOOTTIME) - start_ticks / os.sysconf("SC_CLK_TCK")
    is_backend = name == b"postgres" and abs(age_here - age) <= _MAX_AGE_DIFFERENCE
    return ProcessId(pid, start_ticks) if is_backend else None


class ProcessMeter:
    """What a process has used since this object was made. Without a process everything is None."""

    def __init__(self, process: ProcessId | None) -> None:
        self._process = process
        self._cpu_before = timedelta()
        self.peak_memory_bytes: int | None = None  # largest sample
        self._cpu_before = self.sample() or timedelta()

    def sample(self) -> timedelta | None:
        """Return the CPU time, or None if the process has ended. Update the peak memory. Safe in any thread."""
        if self._process is None:
            return None
        folder = _PROC / str(self._process.pid)
        try:
            # clock_getcpuclockid(3); /proc has hundredths of a second
            cpu = time.clock_gettime((~self._process.pid << 3) | 2)
            _, resident, shared, *_ = (folder / "statm").read_bytes().split()
            if _name_and_start(folder)[1] != self._process.start_ticks:
                return None
        except (OSError, ValueError):
            return None
        # Without shared pages: all backends map the same shared buffers. PSS and USS are slower and need privileges.
        memory = (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
        self.peak_memory_bytes = max(memory, self.peak_memory_bytes or 0)
        return timedelta(seconds=cpu) - self._cpu_before


def _name_and_start(folder: Path) -> tuple[bytes, int]:
    before, _, after = (folder / "stat").read_bytes().rpartition(b") ")  # proc_pid_stat(5)
    return before.partition(b" (")[2], int(after.split()[19])

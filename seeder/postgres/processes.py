"""The processes of PostgreSQL, where they run beside us: what their operating system knows and the server does not.

Only Linux tells enough to be sure that a process is the backend that we talk to. Elsewhere there is None.
"""

import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from seeder.domain.costs import ProcessCost
from seeder.postgres import sessions

_PROC = Path("/proc")

# Between the kernel's making a process and the process's first look at the clock, on a machine with too much to do.
# Ages are compared, not instants: the kernel's count from the start of the machine, and no clock needs to be right.
_HESITATION = 1.0  # seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """A process of this machine that is a backend. Any thread may ask."""

    pid: int
    began: int  # clock ticks after the machine's start

    def cost(self) -> ProcessCost | None:
        """What it has used so far; None when it has ended, even if another one has its pid now."""
        try:
            _, _, began = _status(self.pid)
            # clock_getcpuclockid(3) by hand: all threads, in nanoseconds, where /proc counts in hundredths of a second.
            cpu = time.clock_gettime((~self.pid << 3) | 2)
            _, resident, shared, *_ = _read(self.pid, "statm").split()
        except (OSError, ValueError):
            return None
        if began != self.began:
            return None
        # Resident less shared is what the backend has for itself. Its whole resident size grows by every page of the
        # shared buffers that it ever touched, all backends' counting the same memory. The proportional and unique sizes
        # would do, but to add them up the kernel walks all mapped pages, shared buffers included, and lets only the
        # server's own user ask.
        private = (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
        return ProcessCost(pid=self.pid, start_ticks=began, cpu_time=timedelta(seconds=cpu), memory_bytes=private)


def own(database: str) -> Process | None:
    """As `find`, which is asked once for each connection."""
    connection = sessions.raw(database)
    if connection not in _known:
        _known[connection] = find(database)
    return _known[connection]


_known: WeakKeyDictionary[Any, Process | None] = WeakKeyDictionary()


def find(database: str) -> Process | None:
    """The backend of this thread's connection, if it provably is a process that we see here; otherwise None.

    A pid alone proves nothing: it may come through a tunnel from another machine, out of a container, or from behind a
    pooler, and belong to somebody else here, even to another PostgreSQL's backend. Takes 0.3 ms,
    most of it for one statement.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    [(pid, age, client, port)] = sessions.query(database, "backend")
    after = time.clock_gettime(time.CLOCK_BOOTTIME)
    connection = sessions.raw(database)
    if connection.info.backend_pid != pid:  # a pooler's invention
        return None
    try:
        name, parent, began = _status(pid)
        born = began / os.sysconf("SC_CLK_TCK")
        same_age = before - born - _HESITATION <= age <= after - born + _HESITATION
        if name == "postgres" and same_age and _counts_pids_as_we_do(pid):
            descriptor = os.dup(connection.fileno())
            with socket.socket(fileno=descriptor) as end:
                if _is_other_end(end, parent=parent, client=client, port=port):
                    return Process(pid=pid, began=began)
    except (OSError, ValueError):  # it is not there, or hidden from us
        pass
    return None


def _is_other_end(end: socket.socket, *, parent: int, client: str | None, port: int | None) -> bool:
    """Whether the other end of our connection is the server itself, and not something that passes on what we say."""
    if end.family == socket.AF_UNIX:
        # Who listens at the socket: the postmaster, whose children the backends are, or a pooler or tunnel.
        listener: int = struct.unpack("3i", end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        return client is None and listener == parent
    here, there = end.getsockname(), end.getpeername()
    # Only by loopback are both ends in one place. What comes through a tunnel comes from another port than ours.
    return bool(here[0] == there[0] == client and here[1] == port)


def _counts_pids_as_we_do(pid: int) -> bool:
    """Whether a process of ours knows itself by the pid that we know it by, which in a container it would not, and
    whether /proc is ours, too."""
    status = (_PROC / str(pid) / "status").read_text().splitlines()
    aliases = [line.split()[1:] for line in status if line.startswith("NSpid:")]
    return all(len(pids) == 1 for pids in aliases) and (_PROC / "self").readlink().name == str(os.getpid())


def _status(pid: int) -> tuple[str, int, int]:
    """A process's name, its parent, and when it began in clock ticks after the machine's start."""
    before, _, after = _read(pid, "stat").rpartition(") ")
    facts = after.split()  # from the third of proc_pid_stat(5) on, as the second, the name, may hold anything
    return before.partition(" (")[2], int(facts[1]), int(facts[19])


def _read(pid: int, name: str) -> str:
    """A short file about a process. By the system's own calls, which take a third of the time of a text file's."""
    descriptor = os.open(_PROC / str(pid) / name, os.O_RDONLY)
    try:
        return os.read(descriptor, 4096).decode()
    finally:
        os.close(descriptor)


class Watched:
    """A process that is looked at now and then, or none."""

    def __init__(self, process: Process | None) -> None:
        self._process = process
        self.peak: int | None = None  # the most bytes that it was seen to have for itself
        self.first = self.look()

    def look(self) -> ProcessCost | None:
        """What it has used up to now. Safe in any thread."""
        cost = None if self._process is None else self._process.cost()
        if cost is not None:
            self.peak = max(cost.memory_bytes, self.peak or 0)
        return cost


class Watch:
    """The processes that are looked at while they work, by a thread that has the time for it."""

    def __init__(self) -> None:
        self._watched: set[Watched] = set()

    @contextmanager
    def of(self, process: Process | None) -> Iterator[Watched]:
        """Look at the process now, and whenever `look` is called inside."""
        watched = Watched(process)
        self._watched.add(watched)
        try:
            yield watched
        finally:
            self._watched.discard(watched)

    def look(self) -> None:
        """At all that are watched now. Safe in any thread."""
        for watched in tuple(self._watched):
            watched.look()

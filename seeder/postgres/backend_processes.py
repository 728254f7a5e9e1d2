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

from seeder.domain.refresh_costs import ProcessCost
from seeder.postgres import sessions

_PROC = Path("/proc")

# Between the kernel's making a process and the process's first look at the clock, on a machine with too much to do.
# Ages are compared, not instants: the kernel's count from the start of the machine, and no clock needs to be right.
_MAX_START_DELAY = 1.0  # seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class BackendProcess:
    """A process of this machine that is a backend. Any thread may ask."""

    pid: int
    started_ticks: int  # clock ticks after the machine's start

    def cost(self) -> ProcessCost | None:
        """What it has used so far; None when it has ended, even if another one has its pid now."""
        try:
            _, _, started_ticks = _status(self.pid)
            # clock_getcpuclockid(3) by hand: all threads, in nanoseconds, where /proc counts in hundredths of a second.
            cpu = time.clock_gettime((~self.pid << 3) | 2)
            _, resident, shared, *_ = _read(self.pid, "statm").split()
        except (OSError, ValueError):
            return None
        if started_ticks != self.started_ticks:
            return None
        # Resident less shared is what the backend has for itself. Its whole resident size grows by every page of the
        # shared buffers that it ever touched, all backends' counting the same memory. The proportional and unique sizes
        # would do, but to add them up the kernel walks all mapped pages, shared buffers included, and lets only the
        # server's own user ask.
        private = (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
        return ProcessCost(
            pid=self.pid, start_ticks=started_ticks, cpu_time=timedelta(seconds=cpu), memory_bytes=private
        )


def of_this_connection(database: str) -> BackendProcess | None:
    """As `find`, which is asked once for each connection."""
    connection = sessions.driver_connection(database)
    if connection not in _processes:
        _processes[connection] = find_backend_process(database)
    return _processes[connection]


_processes: WeakKeyDictionary[Any, BackendProcess | None] = WeakKeyDictionary()


def find_backend_process(database: str) -> BackendProcess | None:
    """The backend of this thread's connection, if it provably is a process that we see here; otherwise None.

    A pid alone proves nothing: it may come through a tunnel from another machine, out of a container, or from behind a
    pooler, and belong to somebody else here, even to another PostgreSQL's backend. Takes 0.3 ms,
    most of it for one statement.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    [(pid, age, client, port)] = sessions.query(database, "backend_identity")
    after = time.clock_gettime(time.CLOCK_BOOTTIME)
    connection = sessions.driver_connection(database)
    if connection.info.backend_pid != pid:  # a pooler's invention
        return None
    try:
        name, parent, started_ticks = _status(pid)
        started = started_ticks / os.sysconf("SC_CLK_TCK")
        same_age = before - started - _MAX_START_DELAY <= age <= after - started + _MAX_START_DELAY
        if name == "postgres" and same_age and _is_same_pid_namespace(pid):
            descriptor = os.dup(connection.fileno())
            with socket.socket(fileno=descriptor) as connection_socket:
                if _is_connected_to_server(connection_socket, parent=parent, client=client, port=port):
                    return BackendProcess(pid=pid, started_ticks=started_ticks)
    except (OSError, ValueError):  # it is not there, or hidden from us
        pass
    return None


def _is_connected_to_server(
    connection_socket: socket.socket, *, parent: int, client: str | None, port: int | None
) -> bool:
    """Whether the other end of our connection is the server itself, and not something that passes on what we say."""
    if connection_socket.family == socket.AF_UNIX:
        # Who listens at the socket: the postmaster, whose children the backends are, or a pooler or tunnel.
        listener: int = struct.unpack("3i", connection_socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        return client is None and listener == parent
    local_address, peer_address = connection_socket.getsockname(), connection_socket.getpeername()
    # Only by loopback are both ends in one place. What comes through a tunnel comes from another port than ours.
    return bool(local_address[0] == peer_address[0] == client and local_address[1] == port)


def _is_same_pid_namespace(pid: int) -> bool:
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


class SampledProcess:
    """A process that is looked at now and then, or none."""

    def __init__(self, process: BackendProcess | None) -> None:
        self._process = process
        self.peak_memory_bytes: int | None = None  # the most bytes that it was seen to have for itself
        self.first_sample = self.sample()

    def sample(self) -> ProcessCost | None:
        """What it has used up to now. Safe in any thread."""
        cost = None if self._process is None else self._process.cost()
        if cost is not None:
            self.peak_memory_bytes = max(cost.memory_bytes, self.peak_memory_bytes or 0)
        return cost


class ProcessSampler:
    """The processes that are looked at while they work, by a thread that has the time for it."""

    def __init__(self) -> None:
        self._sampled: set[SampledProcess] = set()

    @contextmanager
    def track(self, process: BackendProcess | None) -> Iterator[SampledProcess]:
        """Look at the process now, and whenever `look` is called inside."""
        sampled = SampledProcess(process)
        self._sampled.add(sampled)
        try:
            yield sampled
        finally:
            self._sampled.discard(sampled)

    def sample_all(self) -> None:
        """At all that are watched now. Safe in any thread."""
        for sampled in tuple(self._sampled):
            sampled.sample()

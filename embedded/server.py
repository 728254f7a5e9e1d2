"""One PostgreSQL for everybody who needs it: `ensure_running`, `stop` and `status`.

The story of a first need: tell the watcher that we are here, and for how long: until our end. If the server answers,
that is all; otherwise it is brought up (upkeep.py). Then see to it that there is a watcher (idle.py).
"""

import os
import shlex
import shutil
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from embedded import binaries, idle
from embedded.errors import Locked
from embedded.locks import EXCLUSIVE, PATIENCE, SHARED, is_still, is_taken, try_lock, wait_for
from embedded.place import PORT, Place, find, in_one_line, prepare
from embedded.say import say
from embedded.signals import Postmaster, answering
from embedded.upkeep import bring_down, bring_up

Folder = str | os.PathLike[str]
IDLE = timedelta(minutes=15)

_one_thread = threading.Lock()
_held: dict[Path, int] = {}  # folder → our descriptor of its users.lock, kept for life
# A fork in the middle of a start would hand locks to a child that knows nothing of them.
os.register_at_fork(before=_one_thread.acquire, after_in_child=_one_thread.release, after_in_parent=_one_thread.release)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that answers."""

    folder: Path
    socket_folder: Path  # what libpq calls the host
    pid: int  # of the postmaster, which tells one server from the next; 0 in another container
    version: str  # such as `18.6`
    port: int = PORT
    user: str = "postgres"

    def psql(self, database: str = "postgres", program: str = "psql") -> str:
        """Ready to paste into a shell."""
        return shlex.join([program, "-h", str(self.socket_folder), "-U", self.user, database])


@dataclass(frozen=True, kw_only=True)
class Status:
    """What is known without touching anything."""

    folder: Path
    data: Path | None  # None until the database has been created
    size: int  # bytes on disk
    server: Server | None  # None while it does not answer
    busy: bool  # it does not answer, but something of it is alive: starting, stopping or dying


def ensure_running(
    folder: Folder,
    bootstrap_files: Sequence[Folder] = (),
    *,
    settings: Mapping[str, str] | None = None,
    idle_after: timedelta = IDLE,
) -> Server:
    """The running server of the folder, started and even created if need be; it stays for as long as we live.

    `settings` are PostgreSQL's own and count from the next start on.
    """
    with in_one_line(folder), _one_thread:
        place, files = find(folder), [Path(file) for file in bootstrap_files]
        known = _is_used_by_us(place)
        if known and (found := answering(place)):
            return _server(place, found)
        if not known:
            prepare(place)
            _use(place)
        found, started = bring_up(place, files, settings or {})
        _watch(place, idle_after)
        server = _server(place, found)
        if started or not known:
            state = "started" if started else "is running"
            say(f"embedded PostgreSQL {server.version} {state} in {place} ({server.psql()})")
        return server


def stop(folder: Folder) -> bool:
    """Stops the server, whoever uses it; whether there was one."""
    with in_one_line(folder):
        place = find(folder)
        if not is_taken(place.server_lock):
            return False
        bring_down(place)
        return True


def status(folder: Folder) -> Status:
    """Looks, and changes nothing."""
    with in_one_line(folder):
        place = find(folder)
        found = answering(place)
        return Status(
            folder=place.folder,
            data=place.data if place.data.exists() else None,
            size=_size_on_disk(place.folder),
            server=_server(place, found) if found else None,
            busy=found is None and is_taken(place.server_lock),
        )


def psql_program() -> str:
    """The psql on the PATH, which usually has line editing, or else the one that came with the server."""
    return "psql" if shutil.which("psql") else str(binaries.folder() / "psql")


def _is_used_by_us(place: Place) -> bool:
    """Whether we already hold the lock, on a file that still exists."""
    return place.folder in _held and is_still(place.users_lock, _held[place.folder])


def _use(place: Place) -> None:
    """Holds the server for our whole life. The touch tells a waiting watcher that somebody was here in between."""
    lock = wait_for(lambda: try_lock(place.users_lock, SHARED, uid=place.account.uid), PATIENCE)
    if lock is None:
        raise Locked(folder=place, seconds=PATIENCE, lock=place.users_lock)
    os.utime(lock)
    if (gone := _held.pop(place.folder, None)) is not None:
        os.close(gone)
    _held[place.folder] = lock


def _watch(place: Place, idle_after: timedelta) -> None:
    """Starts the watcher, unless one lives."""
    lock = try_lock(place.watcher_lock, EXCLUSIVE, uid=place.account.uid)
    if lock is not None:
        try:
            idle.start_watching(place, lock, idle_after)
        finally:
            os.close(lock)


def _server(place: Place, found: Postmaster) -> Server:
    return Server(folder=place.folder, socket_folder=found.socket_folder, pid=found.pid, version=binaries.version())


def _size_on_disk(folder: Path) -> int:
    size = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                size += Path(path, name).lstat().st_blocks * 512
    return size

"""Seeing that a server answers, and asking its processes to end."""

import os
import signal
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import Elsewhere
from embedded.place import PORT, Place


@dataclass(frozen=True, kw_only=True)
class Postmaster:
    """The first process of a server, which listens."""

    pid: int  # 0 where it belongs to another container
    socket_folder: Path


def answering(place: Place) -> Postmaster | None:
    """Whoever accepts connections.

    A postmaster.pid says `ready` also after a kill -9, so somebody has to pick up the phone.
    """
    _, state = _pid_file(place)
    return listening(place) if state == "ready" else None


def listening(place: Place) -> Postmaster | None:
    """Whoever listens, ready or not, as the kernel tells it: never a stale or recycled number."""
    socket_folder, _ = _pid_file(place)
    with socket.socket(socket.AF_UNIX) as phone, suppress(OSError):
        phone.connect(str(socket_folder / f".s.PGSQL.{PORT}"))
        credentials = phone.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return Postmaster(pid=struct.unpack("3i", credentials)[0], socket_folder=socket_folder)
    return None


def ask_to_stop(place: Place) -> bool:
    """A fast shutdown: sessions are ended, everything is written. Whether there was somebody to ask."""
    found = listening(place)
    if found is None:
        return False
    if found.pid == 0:
        raise Elsewhere(folder=place)
    with suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGINT)
    return True


def end_orphans(place: Place) -> None:
    """Ends what a killed postmaster left behind, where a busy process notices its loss only when its query has
    finished; and a postmaster that nobody can reach because its socket was deleted.

    Only PostgreSQL's processes with the server lock are touched; where they cannot be seen, waiting has to do.
    """
    lock = place.server_lock.stat()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_postgres = (process / "exe").readlink().name.startswith("postgres")
            if is_postgres and any(_is(descriptor, lock) for descriptor in (process / "fd").iterdir()):
                os.kill(int(process.name), signal.SIGQUIT)


def _pid_file(place: Place) -> tuple[Path, str]:
    """The socket folder and the state in postmaster.pid, as far as it is this server's and already written."""
    with suppress(FileNotFoundError):
        _, _, _, _, folder, _, _, state, *_ = (place.data / "postmaster.pid").read_text().splitlines()[:8] + 8 * [""]
        if place.is_mine(Path(folder)):
            return Path(folder), state.strip()
    return place.socket_folder(), ""


def _is(descriptor: Path, file: os.stat_result) -> bool:
    with suppress(OSError):
        return os.path.samestat(descriptor.stat(), file)
    return False

"""Seeing that a server answers, and asking its processes to end."""

import os
import signal
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import ServerInOtherContainer
from embedded.server_folder import PORT, ServerFolder


@dataclass(frozen=True, kw_only=True)
class Postmaster:
    """The first process of a server, which listens."""

    pid: int  # 0 where it belongs to another container
    socket_folder: Path


def find_ready_postmaster(server_folder: ServerFolder) -> Postmaster | None:
    """Whoever accepts connections.

    A postmaster.pid says `ready` also after a kill -9, so somebody has to pick up the phone.
    """
    _, state = _pid_file(server_folder)
    return find_listening_postmaster(server_folder) if state == "ready" else None


def find_listening_postmaster(server_folder: ServerFolder) -> Postmaster | None:
    """Whoever listens, ready or not, as the kernel tells it: never a stale or recycled number."""
    socket_folder, _ = _pid_file(server_folder)
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.connect(str(socket_folder / f".s.PGSQL.{PORT}"))
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return Postmaster(pid=struct.unpack("3i", credentials)[0], socket_folder=socket_folder)
    return None


def request_shutdown(server_folder: ServerFolder) -> bool:
    """A fast shutdown: sessions are ended, everything is written. Whether there was somebody to ask."""
    postmaster = find_listening_postmaster(server_folder)
    if postmaster is None:
        return False
    if postmaster.pid == 0:
        raise ServerInOtherContainer(folder=server_folder)
    with suppress(ProcessLookupError):
        os.kill(postmaster.pid, signal.SIGINT)
    return True


def quit_orphaned_processes(server_folder: ServerFolder) -> None:
    """Ends what a killed postmaster left behind, where a busy process notices its loss only when its query has
    finished; and a postmaster that nobody can reach because its socket was deleted.

    Only PostgreSQL's processes with the server lock are touched; where they cannot be seen, waiting has to do.
    """
    lock = server_folder.server_lock.stat()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_postgres = (process / "exe").readlink().name.startswith("postgres")
            if is_postgres and any(_is_same_file(descriptor, lock) for descriptor in (process / "fd").iterdir()):
                os.kill(int(process.name), signal.SIGQUIT)


def _pid_file(server_folder: ServerFolder) -> tuple[Path, str]:
    """The socket folder and the state in postmaster.pid, as far as it is this server's and already written."""
    with suppress(FileNotFoundError):
        _, _, _, _, folder, _, _, state, *_ = (server_folder.data / "postmaster.pid").read_text().splitlines()[
            :8
        ] + 8 * [""]
        if server_folder.is_own_socket_folder(Path(folder)):
            return Path(folder), state.strip()
    return server_folder.socket_folder(), ""


def _is_same_file(descriptor: Path, file: os.stat_result) -> bool:
    with suppress(OSError):
        return os.path.samestat(descriptor.stat(), file)
    return False

"""Finds running servers and ends their processes."""

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

    pid: int  # 0 if it is in another container
    socket_folder: Path


def find_ready_postmaster(server_folder: ServerFolder) -> Postmaster | None:
    """Return the server that accepts connections.

    A postmaster.pid says `ready` even after kill -9, so this connects.
    """
    _, state = _pid_file(server_folder)
    return find_listening_postmaster(server_folder) if state == "ready" else None


def find_listening_postmaster(server_folder: ServerFolder) -> Postmaster | None:
    """Return the server that listens, ready or not. The kernel reports it, so its process id is never stale."""
    socket_folder, _ = _pid_file(server_folder)
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.connect(str(socket_folder / f".s.PGSQL.{PORT}"))
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return Postmaster(pid=struct.unpack("3i", credentials)[0], socket_folder=socket_folder)
    return None


def request_shutdown(server_folder: ServerFolder) -> bool:
    """Request a fast shutdown: sessions end and all data is written. Return whether there was a server."""
    postmaster = find_listening_postmaster(server_folder)
    if postmaster is None:
        return False
    if postmaster.pid == 0:
        raise ServerInOtherContainer(folder=server_folder)
    with suppress(ProcessLookupError):
        os.kill(postmaster.pid, signal.SIGINT)
    return True


def quit_orphaned_processes(server_folder: ServerFolder) -> None:
    """End the processes of a killed postmaster, and a postmaster whose socket was deleted.

    A busy process notices the loss of its postmaster only at the end of its query. Only PostgreSQL's processes that
    hold the server lock are ended; if they are not visible, the caller has to wait.
    """
    lock = server_folder.server_lock.stat()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_postgres = (process / "exe").readlink().name.startswith("postgres")
            if is_postgres and any(_is_same_file(descriptor, lock) for descriptor in (process / "fd").iterdir()):
                os.kill(int(process.name), signal.SIGQUIT)


def _pid_file(server_folder: ServerFolder) -> tuple[Path, str]:
    """Return the socket folder and state in postmaster.pid, if they are this server's and complete."""
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

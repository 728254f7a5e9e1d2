"""Finds running servers and ends their processes."""

import os
import signal
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import ServerInOtherContainer, ServerStartedElsewhere
from embedded.file_locks import is_locked_exclusively
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
    if socket_folder is None or not server_folder.is_own_socket_folder(socket_folder):
        socket_folder = server_folder.socket_folder()  # a moved folder still has its socket
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.connect(str(socket_folder / f".s.PGSQL.{PORT}"))
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return Postmaster(pid=struct.unpack("3i", credentials)[0], socket_folder=socket_folder)
    return None


def has_processes(server_folder: ServerFolder) -> bool:
    """Return whether a process of the server is alive, however it was started, or the server listens elsewhere."""
    return (
        is_locked_exclusively(server_folder.server_lock)
        or find_listening_postmaster(server_folder) is not None
        or any(_works_in_data(process, server_folder) for process in Path("/proc").glob("[0-9]*"))
    )


def find_working_postmaster(server_folder: ServerFolder) -> int | None:
    """Return the process id in postmaster.pid, unless the process is dead or another one has its id."""
    pid = abs(_number_in(server_folder.data / "postmaster.pid"))  # negative in single-user mode
    return pid if pid and _works_in_data(Path(f"/proc/{pid}"), server_folder) else None


def remove_stale_lock_files(server_folder: ServerFolder, socket_folder: Path) -> None:
    """Delete the lock files of a dead server, because PostgreSQL would trust a process id that another process has.

    A file that names a process of this server is kept: PostgreSQL then refuses to start a second one.
    """
    for file in (server_folder.data / "postmaster.pid", socket_folder / f".s.PGSQL.{PORT}.lock"):
        if not _works_in_data(Path(f"/proc/{abs(_number_in(file))}"), server_folder):
            file.unlink(missing_ok=True)


def request_shutdown(server_folder: ServerFolder) -> bool:
    """Request a fast shutdown: sessions end and all data is written. Return whether there was a server."""
    listening = find_listening_postmaster(server_folder)
    pid = listening.pid if listening else find_working_postmaster(server_folder)
    if pid is None:
        return False
    if pid == 0:
        raise ServerInOtherContainer(folder=server_folder)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    return True


def quit_orphaned_processes(server_folder: ServerFolder) -> None:
    """End the processes of a killed postmaster, and a postmaster whose socket was deleted.

    A busy process notices the loss of its postmaster only at the end of its query. Only PostgreSQL's processes that
    hold the server lock or work in its data folder are ended; if they are not visible, the caller has to wait.

    Raises `ServerStartedElsewhere` for a postmaster that listens in another folder.
    """
    socket_folder, _ = _pid_file(server_folder)
    pid = find_working_postmaster(server_folder)
    if pid and socket_folder and not server_folder.is_own_socket_folder(socket_folder):
        raise ServerStartedElsewhere(folder=server_folder, pid=pid, socket_folder=socket_folder)
    with suppress(FileNotFoundError):
        lock = server_folder.server_lock.stat()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if _works_in_data(process, server_folder) or (
                    _is_postgres(process)
                    and any(_is_same_file(descriptor, lock) for descriptor in (process / "fd").iterdir())
                ):
                    os.kill(int(process.name), signal.SIGQUIT)


def _is_postgres(process: Path) -> bool:
    return (process / "exe").readlink().name.startswith("postgres")


def _works_in_data(process: Path, server_folder: ServerFolder) -> bool:
    """Return whether it is a process of PostgreSQL whose current folder is the data folder, as of all of a server."""
    with suppress(OSError):
        return _is_postgres(process) and os.path.samestat((process / "cwd").stat(), server_folder.data.stat())
    return False


def _number_in(lock_file: Path) -> int:
    """Return the process id in the first line of a lock file, or 0."""
    with suppress(FileNotFoundError, ValueError, IndexError):
        return int(lock_file.read_text().splitlines()[0])
    return 0


def _pid_file(server_folder: ServerFolder) -> tuple[Path | None, str]:
    """Return the socket folder and the state in postmaster.pid, as far as it is written."""
    with suppress(FileNotFoundError):
        lines = (server_folder.data / "postmaster.pid").read_text().splitlines() + 8 * [""]
        return Path(lines[4]) if lines[4] else None, lines[7].strip()
    return None, ""


def _is_same_file(descriptor: Path, file: os.stat_result) -> bool:
    with suppress(OSError):
        return os.path.samestat(descriptor.stat(), file)
    return False

"""One shared PostgreSQL server: `ensure_running`, `stop` and `status`.

`ensure_running` registers this process as a user until it ends, starts the server unless it answers
(start_and_stop.py), and starts a watcher unless there is one (idle_watcher.py).
"""

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from embedded import binaries, idle_watcher
from embedded.announce import announce
from embedded.file_locks import EXCLUSIVE, try_lock
from embedded.postmaster import Postmaster, find_ready_postmaster, has_processes
from embedded.server_folder import PORT, ServerFolder, create_folder, resolve_server_folder, translate_os_errors
from embedded.shared_use import become_user, is_user, one_thread
from embedded.start_and_stop import start_unless_running, stop_and_wait

FolderPath = str | os.PathLike[str]
DEFAULT_IDLE_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that answers."""

    folder: Path
    socket_folder: Path  # the host for libpq
    pid: int  # of the postmaster; 0 in another container
    version: str  # such as `18.6`
    port: int = PORT
    user: str = "postgres"

    def psql(self, database: str = "postgres", program: str = "psql") -> str:
        """Return a command for a shell."""
        return shlex.join([program, "-h", str(self.socket_folder), "-U", self.user, database])


@dataclass(frozen=True, kw_only=True)
class ServerStatus:
    """Facts that can be read without changing anything."""

    folder: Path
    data: Path | None  # None until the database has been created
    size_bytes: int  # bytes on disk
    server: Server | None  # None if it does not answer
    is_busy: bool  # it does not answer, but a process of it is alive


def ensure_running(
    folder: FolderPath,
    bootstrap_files: Sequence[FolderPath] = (),
    *,
    settings: Mapping[str, str] | None = None,
    idle_after: timedelta = DEFAULT_IDLE_AFTER,
) -> Server:
    """Return the running server of the folder, and create and start it if necessary.

    It keeps running as long as this process. `settings` are PostgreSQL's own and apply from the next start.
    """
    with translate_os_errors(folder), one_thread:
        server_folder, files = resolve_server_folder(folder), [Path(file) for file in bootstrap_files]
        was_user = is_user(server_folder)
        if was_user and (postmaster := find_ready_postmaster(server_folder)):
            return _server(server_folder, postmaster)
        if not was_user:
            create_folder(server_folder)
            become_user(server_folder)
        postmaster, started = start_unless_running(server_folder, files, settings or {})
        _ensure_watcher(server_folder, idle_after)
        server = _server(server_folder, postmaster)
        if started:
            announce(f"embedded PostgreSQL {server.version} started in {server_folder} ({server.psql()})")
        return server


def stop(folder: FolderPath) -> bool:
    """Stop the server even if it is used, and return whether it ran."""
    with translate_os_errors(folder):
        server_folder = resolve_server_folder(folder)
        if not has_processes(server_folder):
            return False
        stop_and_wait(server_folder)
        return True


def status(folder: FolderPath) -> ServerStatus:
    """Return the status. Changes nothing."""
    with translate_os_errors(folder):
        server_folder = resolve_server_folder(folder)
        postmaster = find_ready_postmaster(server_folder)
        return ServerStatus(
            folder=server_folder.path,
            data=server_folder.data if server_folder.data.exists() else None,
            size_bytes=_size_on_disk(server_folder.path),
            server=_server(server_folder, postmaster) if postmaster else None,
            is_busy=postmaster is None and has_processes(server_folder),
        )


def psql_program() -> str:
    """Return the psql on the PATH, which usually has line editing, or the one that came with the server."""
    return "psql" if shutil.which("psql") else str(binaries.folder() / "psql")


def _ensure_watcher(server_folder: ServerFolder, idle_after: timedelta) -> None:
    """Start the watcher, unless there is one."""
    lock = try_lock(server_folder.watcher_lock, EXCLUSIVE, uid=server_folder.account.uid)
    if lock is not None:
        try:
            idle_watcher.start_watcher(server_folder, lock, idle_after)
        finally:
            os.close(lock)


def _server(server_folder: ServerFolder, postmaster: Postmaster) -> Server:
    return Server(
        folder=server_folder.path,
        socket_folder=postmaster.socket_folder,
        pid=postmaster.pid,
        version=binaries.version(),
    )


def _size_on_disk(folder: Path) -> int:
    size = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                size += Path(path, name).lstat().st_blocks * 512
    return size

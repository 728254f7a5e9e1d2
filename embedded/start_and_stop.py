"""Starts and stops the server, one process at a time (start.lock).

A process that gets the lock checks again, because another one may have been faster. If the server does not answer, its
lock is free, and no process of PostgreSQL works in the data folder, a new server can start. Otherwise a process is
starting, stopping or dying, and waiting leads to one of the two. A server that was restarted manually, as with
`pg_ctl restart`, does not hold the lock.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedded import bootstrap, data_directory
from embedded.announce import announce
from embedded.errors import ServerNotAnswering, ServerNotStopped, ServerVanished
from embedded.file_locks import EXCLUSIVE, MAX_WAIT_SECONDS, poll_until, try_lock
from embedded.postmaster import (
    Postmaster,
    find_listening_postmaster,
    find_ready_postmaster,
    has_processes,
    quit_orphaned_processes,
    request_shutdown,
)
from embedded.server_folder import ServerFolder, remove_socket_folder
from embedded.shared_use import holding_start_lock

_EXIT_GRACE_SECONDS = 3.0  # seconds; idle processes of a killed server end by themselves
_ATTEMPTS = 5  # another process may stop a server right after its start, but not repeatedly


def start_unless_running(
    server_folder: ServerFolder, files: Sequence[Path], settings: Mapping[str, str]
) -> tuple[Postmaster, bool]:
    """Return the running server, and whether this process started it."""
    started = False
    for _ in range(_ATTEMPTS):
        postmaster = find_ready_postmaster(server_folder)
        if postmaster and bootstrap.is_done(server_folder, files):
            return postmaster, started
        with holding_start_lock(server_folder):
            started = _start_unless_ready(server_folder, settings) or started
            postmaster = find_ready_postmaster(server_folder)
            if postmaster and not bootstrap.is_done(server_folder, files):
                bootstrap.run_bootstrap(server_folder, postmaster.socket_folder, files)
    raise ServerVanished(folder=server_folder, log=server_folder.log)


def stop_and_wait(server_folder: ServerFolder) -> None:
    """Stop the server and wait until its last process has ended."""
    with holding_start_lock(server_folder):
        is_stopping = poll_until(
            lambda: request_shutdown(server_folder) or not has_processes(server_folder) or None, _EXIT_GRACE_SECONDS
        )
        if not is_stopping:
            quit_orphaned_processes(server_folder)
        lock = poll_until(lambda: _lock_if_dead(server_folder), MAX_WAIT_SECONDS)
        if lock is None:
            raise ServerNotStopped(folder=server_folder, seconds=MAX_WAIT_SECONDS, log=server_folder.log)
        remove_socket_folder(server_folder.socket_folder())
        os.close(lock)


def _start_unless_ready(server_folder: ServerFolder, settings: Mapping[str, str]) -> bool:
    lock = _lock_unless_ready(server_folder)
    if lock is None:
        return False
    try:
        if not server_folder.data.exists():
            announce(f"creating an embedded PostgreSQL in {server_folder} …")
            data_directory.create_cluster(server_folder, lock)
        log_begins = data_directory.start_server(server_folder, lock, settings)
    finally:
        os.close(lock)  # the server still holds it
    data_directory.wait_until_ready(server_folder, log_begins)
    return True


def _lock_unless_ready(server_folder: ServerFolder) -> int | None:
    locks: list[int] = []

    def is_ready_or_locked() -> bool | None:
        if find_ready_postmaster(server_folder):
            return True
        if (lock := _lock_if_dead(server_folder)) is not None:
            locks.append(lock)
        return bool(locks) or None

    if not poll_until(is_ready_or_locked, _EXIT_GRACE_SECONDS):
        if find_listening_postmaster(server_folder) is None:
            quit_orphaned_processes(server_folder)
        if not poll_until(is_ready_or_locked, MAX_WAIT_SECONDS):
            raise ServerNotAnswering(folder=server_folder, seconds=MAX_WAIT_SECONDS, log=server_folder.log)
    return locks[0] if locks else None


def _lock_if_dead(server_folder: ServerFolder) -> int | None:
    """Take the server's lock, unless a process of the server is alive, with the lock or without it."""
    if has_processes(server_folder):
        return None
    return try_lock(server_folder.server_lock, EXCLUSIVE, uid=server_folder.account.uid)

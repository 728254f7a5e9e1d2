"""Processes that share one server: each holds users.lock, and one at a time starts or stops the server (start.lock)."""

import os
import threading
from contextlib import AbstractContextManager
from pathlib import Path

from embedded.errors import StartLockTimeout
from embedded.file_locks import (
    EXCLUSIVE,
    MAX_WAIT_SECONDS,
    SHARED,
    is_same_file,
    poll_until,
    try_lock,
    unlock_on_exit,
)
from embedded.server_folder import ServerFolder

one_thread = threading.Lock()
"""Held by the thread that becomes a user or starts a server."""
_users_lock_by_folder: dict[Path, int] = {}  # folder → descriptor of its users.lock, open until the process ends
# A fork during a start would pass locks to the child.
os.register_at_fork(before=one_thread.acquire, after_in_child=one_thread.release, after_in_parent=one_thread.release)


def is_user(server_folder: ServerFolder) -> bool:
    """Return whether this process holds the lock on a file that still exists."""
    return server_folder.path in _users_lock_by_folder and is_same_file(
        server_folder.users_lock, _users_lock_by_folder[server_folder.path]
    )


def become_user(server_folder: ServerFolder) -> None:
    """Hold the lock until this process ends. Touching the file tells a waiting watcher about this use."""
    lock = poll_until(
        lambda: try_lock(server_folder.users_lock, SHARED, uid=server_folder.account.uid), MAX_WAIT_SECONDS
    )
    if lock is None:
        raise StartLockTimeout(folder=server_folder, seconds=MAX_WAIT_SECONDS, lock=server_folder.users_lock)
    os.utime(lock)
    if (stale_lock := _users_lock_by_folder.pop(server_folder.path, None)) is not None:
        os.close(stale_lock)
    _users_lock_by_folder[server_folder.path] = lock


def holding_start_lock(server_folder: ServerFolder) -> AbstractContextManager[None]:
    """Hold start.lock. Raises `StartLockTimeout` if another process does not release it."""
    lock = poll_until(
        lambda: try_lock(server_folder.start_lock, EXCLUSIVE, uid=server_folder.account.uid), MAX_WAIT_SECONDS
    )
    if lock is None:
        raise StartLockTimeout(folder=server_folder, seconds=MAX_WAIT_SECONDS, lock=server_folder.start_lock)
    return unlock_on_exit(lock)

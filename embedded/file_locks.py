"""File locks without waiting, and one function to wait for a condition."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

SHARED, EXCLUSIVE = fcntl.LOCK_SH, fcntl.LOCK_EX
MAX_WAIT_SECONDS = 120.0  # seconds: initdb or crash recovery on a slow disk
_POLL_INTERVAL = 0.01  # seconds

Result = TypeVar("Result")


def try_lock(path: Path, mode: int, *, uid: int = -1) -> int | None:
    """Take the lock and return its file descriptor, or None if it is taken.

    The lock is held until every process that inherited the descriptor has closed it. A lock on a deleted file protects
    nothing, so the path is checked again.
    """
    descriptor = _open(path)
    try:
        if os.geteuid() == 0:
            os.fchown(descriptor, uid, -1)
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        if is_same_file(path, descriptor):
            return descriptor
    except BlockingIOError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def wait_for_lock(path: Path, mode: int) -> int:
    """Take the lock, and wait for it without a time limit."""
    descriptor = _open(path)
    fcntl.flock(descriptor, mode)
    return descriptor


def is_same_file(path: Path, descriptor: int) -> bool:
    """Return whether the path still leads to the open file."""
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


def is_locked_exclusively(path: Path) -> bool:
    """Return whether a process holds the lock exclusively. Creates no file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, SHARED | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def unlock_on_exit(descriptor: int) -> Iterator[None]:
    """Release a lock at the end, also in a child that was forked meanwhile."""
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def poll_until(probe: Callable[[], Result | None], timeout: float) -> Result | None:
    """Return the first result of `look` that is not None, or None after the time limit."""
    deadline = time.monotonic() + timeout
    while (result := probe()) is None and time.monotonic() < deadline:
        time.sleep(_POLL_INTERVAL)
    return result


def _open(path: Path) -> int:
    """Open a file with a descriptor above 2. Lower ones are free in a daemon and cannot be inherited."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if descriptor > 2:
        return descriptor
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(descriptor)

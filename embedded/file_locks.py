"""File locks, taken without waiting, and one way to wait for anything."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

SHARED, EXCLUSIVE = fcntl.LOCK_SH, fcntl.LOCK_EX
MAX_WAIT_SECONDS = 120.0  # seconds: a slow disk may need them for initdb or crash recovery
_POLL_INTERVAL = 0.01  # seconds between two looks

Result = TypeVar("Result")


def try_lock(path: Path, mode: int, *, uid: int = -1) -> int | None:
    """The descriptor that holds the lock until it is closed by everyone who inherited it, or None when it is taken.

    A lock on a file that has been deleted meanwhile protects nothing, so the path is looked at again.
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
    """The same, for somebody who has nothing to do but wait."""
    descriptor = _open(path)
    fcntl.flock(descriptor, mode)
    return descriptor


def is_same_file(path: Path, descriptor: int) -> bool:
    """Whether the path still leads to the open file."""
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


def is_locked_exclusively(path: Path) -> bool:
    """Whether somebody holds the lock exclusively; for looking only, since it creates nothing."""
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
    """Frees a lock at the end, also in a child that was forked meanwhile and never knew of it."""
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def poll_until(probe: Callable[[], Result | None], timeout: float) -> Result | None:
    """The first thing `look` finds, or None when there was nothing all the time."""
    deadline = time.monotonic() + timeout
    while (result := probe()) is None and time.monotonic() < deadline:
        time.sleep(_POLL_INTERVAL)
    return result


def _open(path: Path) -> int:
    """Never as 0, 1 or 2, which are free in a daemon and would not survive being inherited."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if descriptor > 2:
        return descriptor
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(descriptor)

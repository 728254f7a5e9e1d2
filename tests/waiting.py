"""The one place where a test pauses: between two looks at a condition."""

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import TypeVar

Found = TypeVar("Found")
_PAUSE = 0.02  # seconds


def eventually(condition: Callable[[], Found], *, seconds: float = 60, otherwise: Callable[[], str] = str) -> Found:
    """Wait until `condition()` is true and return its value. Pauses between calls, so that the awaited process gets the
    processor. Fail after `seconds`, with the text of `otherwise`."""
    end = monotonic() + seconds
    while not (found := condition()):
        assert monotonic() < end, f"not within {seconds} s: {otherwise()}"
        pause()
    return found


def pause(seconds: float = _PAUSE) -> None:
    """Let other threads and processes work before the next look."""
    Event().wait(seconds)

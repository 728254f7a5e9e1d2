"""The one place where a test pauses: between two looks at a condition."""

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import TypeVar

Result = TypeVar("Result")
_PAUSE = 0.02  # seconds


def eventually(
    condition: Callable[[], Result], *, timeout: float = 60, describe_failure: Callable[[], str] = str
) -> Result:
    """Wait until `condition()` is true and return its value. Pauses between calls, so that the awaited process gets the
    processor. Fail after `seconds`, with the text of `otherwise`."""
    deadline = monotonic() + timeout
    while not (result := condition()):
        assert monotonic() < deadline, f"not within {timeout} s: {describe_failure()}"
        pause()
    return result


def pause(seconds: float = _PAUSE) -> None:
    """Let other threads and processes work before the next look."""
    Event().wait(seconds)

"""Polling with a pause: the only place where tests wait."""

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import TypeVar

Result = TypeVar("Result")
_PAUSE = 0.02  # seconds


def eventually(
    condition: Callable[[], Result], *, timeout: float = 60, describe_failure: Callable[[], str] = str
) -> Result:
    """Wait until `condition()` is true and return its value. Pause between calls, so that the awaited process can run.
    Fail after `timeout` seconds with the text of `describe_failure()`.
    """
    deadline = monotonic() + timeout
    while not (result := condition()):
        assert monotonic() < deadline, f"not within {timeout} s: {describe_failure()}"
        pause()
    return result


def pause(seconds: float = _PAUSE) -> None:
    """Let other threads and processes run before the next poll."""
    Event().wait(seconds)

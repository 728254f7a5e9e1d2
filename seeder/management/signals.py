"""SIGINT and SIGTERM, whatever the process inherited: as a request to stop, or as an interrupt of what goes on."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

from seeder.services.stopping import Stop

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def as_a_request(stop: Stop) -> Iterator[None]:
    """While inside, a signal asks `stop`; the second one ends the process at once, as if nobody had listened."""

    def heed(number: int, _: FrameType | None) -> None:
        if stop.requested:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        stop.request(signal.Signals(number).name)

    with _heard_by(heed):
        yield


@contextmanager
def as_an_interrupt() -> Iterator[None]:
    """While inside, a signal raises a `KeyboardInterrupt` with its name."""

    def heed(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    with _heard_by(heed):
        yield


@contextmanager
def _heard_by(heed: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Elsewhere than in the main thread, where Python hears no signals, does nothing."""
    if current_thread() is not main_thread():
        yield
        return
    before = {number: signal.signal(number, heed) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_code(reason: str | None) -> int:
    """What a shell expects of a process that the signal of this name has ended."""
    return 128 + signal.Signals[reason or "SIGINT"]

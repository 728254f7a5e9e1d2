"""SIGINT and SIGTERM as a request to stop; the second one ends the process at once, as if nobody had listened."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

from seeder.services.stopping import Stop

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def as_a_request(stop: Stop) -> Iterator[None]:
    """While inside, a signal asks `stop`. Elsewhere than in the main thread, where Python hears none, does nothing."""
    if current_thread() is not main_thread():
        yield
        return

    def heed(number: int, _: FrameType | None) -> None:
        if stop.requested:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        stop.request(signal.Signals(number).name)

    before = {number: signal.signal(number, heed) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_code(stop: Stop) -> int:
    """What a shell expects of a process that a signal has ended."""
    return 128 + signal.Signals[stop.reason or "SIGINT"]

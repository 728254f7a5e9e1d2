"""Handlers of SIGINT and SIGTERM, also for processes that inherit them as ignored."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import current_thread, main_thread
from types import FrameType

from seeder.services.stop_signal import StopSignal


@contextmanager
def stop_on_signal() -> Iterator[StopSignal]:
    """Yield a stop signal that a signal sets. A second signal ends the process at once."""
    stop = StopSignal()

    def request_stop(number: int, _: FrameType | None) -> None:
        if stop.requested:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        stop.request(signal.Signals(number).name)

    with handle_signals(request_stop):
        yield stop


def interrupt_on_signal() -> AbstractContextManager[None]:
    """Make a signal raise `KeyboardInterrupt` with its name."""

    def raise_interrupt(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    return handle_signals(raise_interrupt)


@contextmanager
def handle_signals(
    handler: Callable[[int, FrameType | None], None], numbers: Sequence[int] = (signal.SIGINT, signal.SIGTERM)
) -> Iterator[None]:
    """Set the handler. Other threads than the main thread cannot, and do nothing."""
    if current_thread() is not main_thread():
        yield
        return
    previous_handlers = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous_handler in previous_handlers.items():
            signal.signal(number, previous_handler)


def is_signal(name: str | None) -> bool:
    """Return whether this is the name of a signal."""
    return name in signal.Signals.__members__


def exit_code_of_signal(signal_name: str | None) -> int:
    """Return the exit code of a process that this signal ended."""
    return 128 + signal.Signals[signal_name or "SIGINT"]

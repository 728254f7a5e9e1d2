"""A stop signal: set once, observed by every thread."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event

# A cancel between two statements has no effect, so it is repeated. An operator waits for at most two seconds.
_CANCEL_ATTEMPTS, _CANCEL_INTERVAL = 15, 0.1  # times, seconds


def cancel_until_ended(
    *, has_running: Callable[[], object], cancel: Callable[[], object], wait: Callable[[float], object]
) -> None:
    """Cancel what runs, and wait, until it has ended.

    What a server that does not answer keeps running is left behind. `wait` gets the most seconds to wait.
    """
    for _ in range(_CANCEL_ATTEMPTS):
        if not has_running():
            return
        cancel()
        wait(_CANCEL_INTERVAL)


class StopSignal:
    """A request to end, with its reason. Can be set in a signal handler and in any thread."""

    def __init__(self) -> None:
        self.reason: str | None = None  # such as SIGTERM; the first request counts
        self._event = Event()
        self._callbacks: list[Callable[[], object]] = []

    @property
    def requested(self) -> bool:
        return self.reason is not None

    def request(self, reason: str) -> None:
        """Set the signal, and run the callbacks."""
        if self.reason is None:
            self.reason = reason
            self._event.set()
            for callback in self._callbacks:
                callback()

    def on_stop(self, callback: Callable[[], object]) -> None:
        """Run a callback when the signal is set, or now. It must not block: a signal handler may run it."""
        self._callbacks.append(callback)
        if self.requested:
            callback()

    def wait(self, span: timedelta) -> None:
        """Wait for a time, or until the signal is set."""
        self._event.wait(span.total_seconds())

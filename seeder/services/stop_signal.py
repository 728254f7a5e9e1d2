"""Somebody wants a run to end: asked once, heard by everybody."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event


class StopSignal:
    """A request to end, with its reason. Safe to make from a signal handler and from any thread."""

    def __init__(self) -> None:
        self.reason: str | None = None  # such as SIGTERM; the first one counts
        self._asked = Event()
        self._listeners: list[Callable[[], object]] = []

    @property
    def requested(self) -> bool:
        return self.reason is not None

    def request(self, reason: str) -> None:
        """Ask everybody to end; who listens is told at once."""
        if self.reason is None:
            self.reason = reason
            self._asked.set()
            for listener in self._listeners:
                listener()

    def on_stop(self, callback: Callable[[], object]) -> None:
        """Be told, even if it was asked before. The listener may be called in a signal handler: it must not wait."""
        self._listeners.append(callback)
        if self.requested:
            callback()

    def wait(self, span: timedelta) -> None:
        """Wait so long, or until it is asked."""
        self._asked.wait(span.total_seconds())

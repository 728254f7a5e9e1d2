"""Listeners of a run: each one gets every event and every tick, in the thread that schedules."""

from collections.abc import Callable

from seeder.domain.run_events import RunEvent


class RunListener:
    """Base class whose methods do nothing. A listener overrides one or both."""

    def on_event(self, event: RunEvent) -> None:
        """React to an event. Its row has been written."""

    def on_tick(self) -> None:
        """Do periodic work. Called several times a second."""


class Listeners(RunListener):
    """Passes events and ticks to listeners. A callback gets events last."""

    def __init__(self, *listeners: RunListener, callback: Callable[[RunEvent], object]) -> None:
        self._listeners, self._callback = listeners, callback

    def on_event(self, event: RunEvent) -> None:
        for listener in self._listeners:
            listener.on_event(event)
        self._callback(event)

    def on_tick(self) -> None:
        for listener in self._listeners:
            listener.on_tick()

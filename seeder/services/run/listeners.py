"""Listeners of a run: each one gets every event and every tick, in the thread that schedules."""

from collections.abc import Callable

from seeder.domain.run_events import RunEvent, ViewEnded
from seeder.services.stop_signal import StopSignal


class RunListener:
    """Base class whose methods do nothing. A listener overrides one or both."""

    def on_event(self, event: RunEvent) -> None:
        """React to an event. Its row has been written."""

    def on_tick(self) -> None:
        """Do periodic work. Called several times a second."""


class EventCallback(RunListener):
    """Passes events to a function."""

    def __init__(self, callback: Callable[[RunEvent], object]) -> None:
        self._callback = callback

    def on_event(self, event: RunEvent) -> None:
        self._callback(event)


class Listeners(RunListener):
    """Passes events and ticks to listeners, in their order."""

    def __init__(self, *listeners: RunListener) -> None:
        self._listeners = listeners

    def on_event(self, event: RunEvent) -> None:
        for listener in self._listeners:
            listener.on_event(event)

    def on_tick(self) -> None:
        for listener in self._listeners:
            listener.on_tick()


def stop_at_failure(event: RunEvent, stop: StopSignal) -> None:
    """Stop the run if a view failed or was held."""
    if isinstance(event, ViewEnded) and event.result.failure is not None:
        stop.request("fail-fast")

"""Marks the views of a run as running, once they have been at it for a moment.

A refresh of a millisecond goes from pending to success in its own transaction, which is all that it costs to record it.
Only who looks on wants to know that a view is running, and those that anybody can see running take longer.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from time import monotonic

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain.plan import PlannedView
from seeder.domain.run_events import RunEvent, ViewEnded, ViewStarted
from seeder.postgres import sessions
from seeder.services.run.listeners import RunListener
from seeder.services.run_history import RunHistoryWriter

_MARK_AFTER = timedelta(milliseconds=100)


class RunningStatusWriter(RunListener):
    """Used by the thread that decides: hears what starts and ends, and writes at each beat."""

    def __init__(self, record: RunHistoryWriter, clock: Callable[[], float] = monotonic) -> None:
        self._record, self._clock = record, clock
        self._unmarked: dict[PlannedView, float] = {}  # since when

    def on_event(self, event: RunEvent) -> None:
        match event:
            case ViewStarted(view=view):
                self._unmarked[view] = self._clock()
            case ViewEnded(view=view):
                self._unmarked.pop(view, None)

    def on_tick(self) -> None:
        """Mark what runs and is not marked. Where that fails, the next beat tries again: it is only for the eye."""
        now = self._clock()
        due = [view for view, since in self._unmarked.items() if now - since >= _MARK_AFTER.total_seconds()]
        if due:
            with suppress(Error):
                sessions.discard_if_broken(DEFAULT_DB_ALIAS)
                self._record.mark_running(view.spec for view in due)
                for view in due:
                    del self._unmarked[view]

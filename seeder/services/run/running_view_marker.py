"""Marks views as running if they take longer than a moment.

A refresh of a millisecond goes from pending to success in its own transaction, which costs nothing extra. Only people
need the status in between, and only for refreshes that they can see running.
"""

from contextlib import suppress
from datetime import timedelta
from time import monotonic

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain.plan import PlannedView
from seeder.domain.run_events import RunEnded, RunEvent, ViewEnded, ViewPostponed, ViewStarted
from seeder.postgres import sessions
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.run.listeners import RunListener

_MARK_AFTER = timedelta(milliseconds=100)


class RunningStatusWriter(RunListener):
    """Marks running views at each tick, and writes the statuses that a refresh could not write."""

    def __init__(self, history: RunHistoryWriter) -> None:
        self._history = history
        self._unmarked: dict[PlannedView, float] = {}  # with its start
        self._deferred: set[PlannedView] = set()

    def on_event(self, event: RunEvent) -> None:
        match event:
            case ViewStarted(view=view):
                self._unmarked[view] = monotonic()
            case ViewPostponed(view=view):
                self._unmarked.pop(view, None)
            case ViewEnded(view=view, result=result):
                self._unmarked.pop(view, None)
                if result.failure is None and view.key in self._history.deferred_statuses:
                    self._deferred.add(view)
                    self._write_deferred()
            case RunEnded():
                self._write_deferred()

    def _write_deferred(self) -> None:
        for view in tuple(self._deferred):
            with suppress(Error):
                sessions.discard_if_broken(DEFAULT_DB_ALIAS)
                self._history.record_deferred_status(view.spec)
                self._deferred.discard(view)

    def on_tick(self) -> None:
        """Mark running views. Ignores database errors, because the next tick tries again."""
        self._write_deferred()
        latest = monotonic() - _MARK_AFTER.total_seconds()
        due = [view for view, started in self._unmarked.items() if started <= latest]
        if due:
            with suppress(Error):
                sessions.discard_if_broken(DEFAULT_DB_ALIAS)
                self._history.mark_running(view.spec for view in due)
                for view in due:
                    del self._unmarked[view]

"""Vacuums the views of a run that a concurrent refresh left with many dead rows.

It happens when all refreshes have ended, because VACUUM keeps each row that an older transaction could still read, and
the other refreshes of the run are such transactions. Measured with four views at once that changed entirely in each of
ten runs: vacuumed right after each commit, they grew to 3.0 times their size, at the end of the run to 2.0 times.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from django.db import Error, connections

from seeder.domain.dead_rows import is_vacuum_due
from seeder.domain.outcomes import RefreshResult
from seeder.domain.plan import PlannedAction, PlannedView
from seeder.postgres.sessions import CancellableStatements
from seeder.postgres.sqlstates import first_line
from seeder.postgres.vacuum import vacuum
from seeder.services.stop_signal import StopSignal, cancel_until_ended

_POLL_INTERVAL = 0.1  # seconds


@dataclass(kw_only=True)
class Vacuuming:
    """What was vacuumed, and why the other views were not."""

    durations: dict[PlannedView, timedelta] = field(default_factory=dict)
    skipped: dict[PlannedView, str] = field(default_factory=dict)

    def with_costs(self, results: Mapping[PlannedView, RefreshResult]) -> dict[PlannedView, RefreshResult]:
        """Return the results with the costs of VACUUM."""
        return {
            view: replace(result, cost=replace(result.cost, vacuum_time=self.durations[view]))
            if view in self.durations
            else result
            for view, result in results.items()
        }


def vacuum_views(
    results: Mapping[PlannedView, RefreshResult],
    *,
    churn_percent: int,
    workers: Mapping[str, int],
    stop: StopSignal,
    on_tick: Callable[[], object],
) -> Vacuuming:
    """Vacuum the views that need it, most dead rows first. Raises nothing, because the views have been refreshed.

    A stop skips the rest and cancels what runs. `workers` is the maximum number of connections to each database.
    """
    due = [
        view
        for view, result in results.items()
        if view.action is PlannedAction.REFRESH and is_vacuum_due(result, churn_percent=churn_percent)
    ]
    due.sort(key=lambda view: -(results[view].cost.rows_deleted or 0))
    return _Vacuum(due, stop).run(workers, on_tick) if due else Vacuuming()


class _Vacuum:
    """Threads that take views from the queue of their database."""

    def __init__(self, due: Iterable[PlannedView], stop: StopSignal) -> None:
        self._stop, self._statements, self._done = stop, CancellableStatements(), Vacuuming()
        self._due: dict[str, SimpleQueue[PlannedView]] = {}
        for view in due:
            self._due.setdefault(view.key.database, SimpleQueue()).put(view)

    def run(self, workers: Mapping[str, int], on_tick: Callable[[], object]) -> Vacuuming:
        threads = [
            Thread(target=self._vacuum_all, args=[database], name=f"vacuum-{number}", daemon=True)
            for database, views in self._due.items()
            for number in range(min(workers.get(database, 1), views.qsize()))
        ]
        for thread in threads:
            thread.start()

        def running() -> list[Thread]:
            return [thread for thread in threads if thread.is_alive()]

        def wait(seconds: float) -> None:
            for thread in running()[:1]:
                thread.join(seconds)
            on_tick()

        while running() and not self._stop.requested:
            wait(_POLL_INTERVAL)
        cancel_until_ended(has_running=running, cancel=self._statements.cancel_all, wait=wait)
        return self._done

    def _vacuum_all(self, database: str) -> None:
        try:
            while not self._stop.requested:
                self._vacuum(self._due[database].get_nowait())
        except Empty:
            return
        finally:
            connections.close_all()

    def _vacuum(self, view: PlannedView) -> None:
        begun = monotonic()
        try:
            with self._statements.track(view.key.database):
                cause = vacuum(view.key.database, view.key.name)
        except Error as error:
            cause = first_line(error)
        if cause is None:
            self._done.durations[view] = timedelta(seconds=monotonic() - begun)
        else:
            self._done.skipped[view] = cause

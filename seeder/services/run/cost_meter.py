"""Measures what the refreshes of a run cost, and has it written down.

What is known inside a refresh's transaction is a part of its result. What the server publishes only afterwards follows
in the metrics, every few seconds and when the run ends: a run that is killed loses some of that and nothing else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from time import monotonic

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain.outcomes import RefreshMode
from seeder.domain.plan import PlannedView
from seeder.domain.refresh_costs import BackendCost, backend_cost_delta, statement_cost_delta
from seeder.domain.run_events import RunEvent, ViewEnded
from seeder.postgres import refresh_cost_queries, sessions
from seeder.postgres.backend_processes import ProcessMeter, backend_process
from seeder.postgres.contract import OptionalTables
from seeder.services.run.cost_rows import MeasuredRefresh, RefreshCostWriter
from seeder.services.run.listeners import RunListener
from seeder.services.run_history import RunHistoryWriter

_SAMPLE_INTERVAL = timedelta(milliseconds=250)  # between two looks at what the backends use
_MIN_DURATION = timedelta(milliseconds=50)  # a refresh that is worth half a millisecond of measuring
_WRITE_INTERVAL = timedelta(seconds=5)  # between two writes of what was measured


class Measurement:
    """One refresh as it is measured, by the thread of its seat."""

    def __init__(self, database: str, process: ProcessMeter, *, with_backend_cost: bool) -> None:
        self._database, self._process, self._deep = database, process, with_backend_cost
        self._before = self._current_backend_cost(flush=True)

    def process_cost(self) -> tuple[timedelta | None, int | None]:
        """Return the CPU time of the backend and its peak memory in bytes; None if unknown."""
        return self._process.sample(), self._process.peak_memory_bytes

    def backend_cost(self) -> BackendCost | None:
        """What its backend has read and written. To be asked for after its transaction."""
        return backend_cost_delta(self._before, self._current_backend_cost(flush=False))

    def _current_backend_cost(self, *, flush: bool) -> BackendCost | None:
        return refresh_cost_queries.backend_costs(self._database, flush=flush) if self._deep else None


class CostMeter(RunListener):
    """The measuring of one run. But for `reading`, everything is called by the thread that decides."""

    def __init__(
        self,
        databases: Iterable[str],
        history: RunHistoryWriter,
        tables: OptionalTables,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._history, self._metrics = history, RefreshCostWriter(tables)
        self._clock = clock
        self._looked = self._written = clock()
        self._processes = set[ProcessMeter]()  # of the running refreshes
        self._fresh: list[tuple[PlannedView, MeasuredRefresh]] = []  # not yet written
        self._known: list[tuple[PlannedView, MeasuredRefresh]] = []  # written, but for what the end of the run tells
        is_kept = self._metrics.missing is None
        self._sources = {name: refresh_cost_queries.find_cost_source(name) for name in databases if is_kept}
        self._before = self._statement_costs()

    @contextmanager
    def measure(self, view: PlannedView) -> Iterator[Measurement]:
        """Measure the refresh inside, unless it is known to be so short that measuring would take longer."""
        database, expected = view.key.database, view.expected_duration
        deep = expected is None or expected >= _MIN_DURATION
        process = ProcessMeter(backend_process(database) if deep else None)
        self._processes.add(process)
        try:
            yield Measurement(database, process, with_backend_cost=deep and self._metrics.missing is None)
        finally:
            self._processes.discard(process)

    def on_event(self, event: RunEvent) -> None:
        if isinstance(event, ViewEnded) and self._metrics.missing is None:
            ids = self._history.history_ids(event.view.spec)
            self._fresh.append((event.view, MeasuredRefresh(history_ids=ids, result=event.result)))

    def on_tick(self) -> None:
        """To be called often."""
        now = self._clock()
        if now - self._looked >= _SAMPLE_INTERVAL.total_seconds():
            self._looked = now
            for process in tuple(self._processes):
                process.sample()
        if now - self._written >= _WRITE_INTERVAL.total_seconds():
            self._written = now
            self._write([measured for _, measured in self._fresh])
            self._known, self._fresh = [*self._known, *self._fresh], []

    def close(self) -> None:
        """Write what is left, and what pg_stat_statements has counted since the beginning."""
        after = self._statement_costs()
        counted = [self._with_statement_costs(view, measured, after) for view, measured in self._known]
        fresh = [self._with_statement_costs(view, measured, after) or measured for view, measured in self._fresh]
        self._write([*filter(None, counted), *fresh])

    def _statement_costs(self) -> Mapping[str, refresh_cost_queries.StatementCosts]:
        costs: dict[str, refresh_cost_queries.StatementCosts] = {}
        for database, source in self._sources.items():
            with suppress(Error):
                seen = None if source is None else refresh_cost_queries.statement_costs(database, source)
                costs |= {} if seen is None else {database: seen}
        return costs

    def _with_statement_costs(
        self, view: PlannedView, measured: MeasuredRefresh, after: Mapping[str, refresh_cost_queries.StatementCosts]
    ) -> MeasuredRefresh | None:
        """With what pg_stat_statements says of it; None where that says nothing."""
        database, result = view.key.database, measured.result
        if result.mode is None or database not in self._before or database not in after:
            return None
        which = view.key.name, result.mode is RefreshMode.CONCURRENT
        statement = statement_cost_delta(self._before[database].get(which), after[database].get(which))
        return replace(measured, result=replace(result, cost=replace(result.cost, statement=statement)))

    def _write(self, measured: Iterable[MeasuredRefresh]) -> None:
        with suppress(Error):  # the run goes on without its metrics rather than end for them
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            self._metrics.write(measured)

"""Measures the costs of a run's refreshes, and has them recorded.

Costs that are known inside a refresh's transaction are part of its result. The server publishes others later; they are
written every few seconds and at the end of the run. A run that is killed loses only these.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from time import monotonic

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain.outcomes import RefreshMode, RefreshResult
from seeder.domain.plan import PlannedView
from seeder.domain.refresh_costs import BackendCost, backend_cost_delta, statement_cost_delta
from seeder.domain.run_events import RunEvent, ViewEnded
from seeder.postgres import refresh_cost_queries, sessions
from seeder.postgres.backend_cpu_and_memory import ProcessMeter, backend_process
from seeder.postgres.contract import OptionalTables
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.run.cost_rows import RefreshCostWriter
from seeder.services.run.listeners import RunListener

_SAMPLE_INTERVAL = timedelta(milliseconds=250)
_WRITE_INTERVAL = timedelta(seconds=5)
_MIN_DURATION = timedelta(milliseconds=50)  # measuring takes half a millisecond

_StatementCosts = Mapping[str, refresh_cost_queries.StatementCosts]  # by database


class Measurement:
    """The measurement of one refresh, in its worker's thread."""

    def __init__(self, database: str, process: ProcessMeter, *, with_backend_cost: bool) -> None:
        self._database, self._process, self._with_backend_cost = database, process, with_backend_cost
        self._before = self._current_backend_cost(flush=True)

    def process_cost(self) -> tuple[timedelta | None, int | None]:
        """Return the backend's CPU time and peak memory in bytes. None if unknown."""
        return self._process.sample(), self._process.peak_memory_bytes

    def backend_cost(self) -> BackendCost | None:
        """Return the bytes that the backend has read and written. Call it after the transaction."""
        return backend_cost_delta(self._before, self._current_backend_cost(flush=False))

    def _current_backend_cost(self, *, flush: bool) -> BackendCost | None:
        return refresh_cost_queries.backend_costs(self._database, flush=flush) if self._with_backend_cost else None


class CostMeter(RunListener):
    """Measures one run. Workers call only `measure`; everything else runs in the scheduler's thread."""

    def __init__(self, databases: Iterable[str], history: RunHistoryWriter, tables: OptionalTables) -> None:
        self._history, self._writer = history, RefreshCostWriter(tables)
        self._sampled_at = self._written_at = monotonic()
        self._processes = set[ProcessMeter]()  # of the running refreshes
        self._refreshes: list[tuple[PlannedView, RefreshResult]] = []
        self._written_count = 0  # the first ones are written, but without the costs of their statements
        self._sources = {
            database: source
            for database in databases
            if self._writer.missing is None and (source := refresh_cost_queries.find_cost_source(database))
        }
        self._before = self._statement_costs()

    @contextmanager
    def measure(self, view: PlannedView) -> Iterator[Measurement]:
        """Measure the refresh inside, unless it is known to be too short."""
        database, expected = view.key.database, view.expected_duration
        is_long = expected is None or expected >= _MIN_DURATION
        process = ProcessMeter(backend_process(database) if is_long else None)
        self._processes.add(process)
        try:
            yield Measurement(database, process, with_backend_cost=is_long and self._writer.missing is None)
        finally:
            self._processes.discard(process)

    def on_event(self, event: RunEvent) -> None:
        if isinstance(event, ViewEnded) and self._writer.missing is None:
            self._refreshes.append((event.view, event.result))

    def on_tick(self) -> None:
        now = monotonic()
        if now - self._sampled_at >= _SAMPLE_INTERVAL.total_seconds():
            self._sampled_at = now
            for process in tuple(self._processes):
                process.sample()
        if now - self._written_at >= _WRITE_INTERVAL.total_seconds():
            self._written_at = now
            self._write(self._refreshes[self._written_count :])
            self._written_count = len(self._refreshes)

    def close(self) -> None:
        """Write the rest, and the costs of all REFRESH statements."""
        after, refreshes = self._statement_costs(), list[tuple[PlannedView, RefreshResult]]()
        for number, (view, result) in enumerate(self._refreshes):
            complete = self._with_statement_cost(view, result, after)
            if complete or number >= self._written_count:
                refreshes.append((view, complete or result))
        self._write(refreshes)

    def _statement_costs(self) -> _StatementCosts:
        costs: dict[str, refresh_cost_queries.StatementCosts] = {}
        for database, source in self._sources.items():
            with suppress(Error):
                if (current := refresh_cost_queries.statement_costs(database, source)) is not None:
                    costs[database] = current
        return costs

    def _with_statement_cost(
        self, view: PlannedView, result: RefreshResult, after: _StatementCosts
    ) -> RefreshResult | None:
        """Add the cost of the REFRESH statement. Return None if pg_stat_statements does not have it."""
        database = view.key.database
        if result.mode is None or database not in self._before or database not in after:
            return None
        statement = view.key.name, result.mode is RefreshMode.CONCURRENT
        cost = statement_cost_delta(self._before[database].get(statement), after[database].get(statement))
        return replace(result, cost=replace(result.cost, statement=cost))

    def _write(self, refreshes: Iterable[tuple[PlannedView, RefreshResult]]) -> None:
        with suppress(Error):  # costs are not worth failing the run
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            self._writer.write((self._history.history_ids(view.spec), result) for view, result in refreshes)

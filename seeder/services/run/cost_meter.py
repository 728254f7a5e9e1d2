"""Measures the costs of a run's refreshes. The only writer of their optional table.

Costs that are known inside a refresh's transaction are part of its result. The server publishes others later; they are
written every few seconds and at the end of the run. A run that is killed loses only these.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from time import monotonic

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain.manifests import ViewKey
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import RefreshResult
from seeder.domain.plan import PlannedView
from seeder.domain.refresh_costs import BackendCost, StatementCost, backend_cost_delta, counters, statement_cost_delta
from seeder.domain.run_events import RunEvent, ViewEnded
from seeder.models import RunMetrics
from seeder.postgres import refresh_cost_queries, row_counts, sessions
from seeder.postgres.backend_cpu_and_memory import ProcessMeter, backend_process
from seeder.postgres.contract import OptionalTables
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.run.listeners import RunListener

_SAMPLE_INTERVAL = timedelta(milliseconds=250)
_WRITE_INTERVAL = timedelta(seconds=5)
_COLUMNS = [str(field.column) for field in RunMetrics._meta.concrete_fields if not field.primary_key]
_STATEMENT_COLUMNS = {
    "calls": "statement_calls",
    "rows": "statement_rows",
    "total_exec_time": "statement_total_ms",
    "wal_bytes": "statement_wal_bytes",
}
_MIN_DURATION = timedelta(milliseconds=50)  # measuring takes half a millisecond


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
        self._history, self._has_table = history, tables.is_usable("seeder_run_metrics")
        self._sampled_at = self._written_at = monotonic()
        self._processes = set[ProcessMeter]()  # of the running refreshes
        self._refreshes: list[tuple[PlannedView, RefreshResult]] = []
        self._written_count = 0  # the first ones are written, but without the costs of their statements
        self._sources = {
            database: source
            for database in databases
            if self._has_table and (source := refresh_cost_queries.find_cost_source(database))
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
            yield Measurement(database, process, with_backend_cost=is_long and self._has_table)
        finally:
            self._processes.discard(process)

    def on_event(self, event: RunEvent) -> None:
        if isinstance(event, ViewEnded) and self._has_table:
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

    def close(self, vacuum_times: Mapping[PlannedView, timedelta] | None = None) -> None:
        """Write the rest, the costs of all REFRESH statements, and the durations of VACUUM by view."""
        vacuumed = vacuum_times or {}
        after, refreshes = self._statement_costs(), list[tuple[PlannedView, RefreshResult]]()
        for number, (view, result) in enumerate(self._refreshes):
            statement = view.key, result.mode is RefreshMode.CONCURRENT
            cost = statement_cost_delta(self._before.get(statement), after.get(statement)) if result.mode else None
            if cost or view in vacuumed or number >= self._written_count:
                all_costs = replace(result.cost, statement=cost, vacuum_time=vacuumed.get(view))
                refreshes.append((view, replace(result, cost=all_costs)))
        self._write(refreshes)

    def _statement_costs(self) -> Mapping[tuple[ViewKey, bool], StatementCost]:
        """Return what all REFRESH statements have cost so far, by view and whether concurrently."""
        costs: dict[tuple[ViewKey, bool], StatementCost] = {}
        for database, source in self._sources.items():
            with suppress(Error):
                found = refresh_cost_queries.statement_costs(database, source) or {}
                for (name, concurrently), cost in found.items():
                    costs[ViewKey(database=database, name=name), concurrently] = cost
        return costs

    def _write(self, refreshes: Iterable[tuple[PlannedView, RefreshResult]]) -> None:
        with suppress(Error):  # costs are not worth failing the run
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            save_costs((self._history.history_ids(view.spec), result) for view, result in refreshes)


def with_counted_rows(
    result: RefreshResult, view: ViewKey, before: row_counts.ViewBeforeRefresh, *, known: int | None
) -> RefreshResult:
    """Return a result with the number of rows, unless PostgreSQL's counters have it. `known` is that of data checks."""
    if not before.requires_count(result.mode):
        return result
    if known is None and before.can_count:
        known = row_counts.count_rows(view.database, view.name)
    return replace(result, rows=known)


def with_written_rows(result: RefreshResult, view: ViewKey, before: row_counts.ViewBeforeRefresh) -> RefreshResult:
    """Return a result with its end and what its transaction wrote, for a row that is written after the commit."""
    written = row_counts.measure_view(view.database, view.name, before)
    return replace(
        result,
        rows=result.rows if before.requires_count(result.mode) else written.inserted,
        size_bytes=written.size_bytes,
        finished_at=sessions.server_time(DEFAULT_DB_ALIAS),
        cost=replace(result.cost, rows_inserted=written.inserted, rows_deleted=written.deleted),
    )


def save_costs(refreshes: Iterable[tuple[Iterable[int], RefreshResult]]) -> None:
    """Write all known costs of refreshes in one statement.

    Each refresh has the primary keys of its history rows, one for each manifest of the view.
    """
    rows = [_row(pk, result) for history_ids, result in refreshes for pk in history_ids]
    if rows:
        refresh_cost_queries.save_costs(_COLUMNS, rows)


def _row(history_id: int, result: RefreshResult) -> Mapping[str, object]:
    """Return the columns with known values."""
    cost = result.cost
    return {
        "history_id": history_id,
        "mode": result.mode,
        "mode_reason": result.mode_reason,
        "fell_back": result.fell_back,
        "attempts": result.attempts,
        "reason": result.reason,
        "sqlstate": result.failure and result.failure.sqlstate,
        "worker_number": cost.worker_number,
        "worker_wait_seconds": cost.worker_wait.total_seconds(),
        "throttle_wait_seconds": cost.throttle_wait.total_seconds(),
        "lock_wait_seconds": cost.lock_wait.total_seconds(),
        "cpu_seconds": None if cost.cpu_time is None else cost.cpu_time.total_seconds(),
        "peak_memory_bytes": cost.peak_memory_bytes,
        "rows_inserted": cost.rows_inserted,
        "rows_deleted": cost.rows_deleted,
        "vacuum_seconds": None if cost.vacuum_time is None else cost.vacuum_time.total_seconds(),
        "notes": "\n".join(result.notes) or None,
        "snapshot": result.snapshot,
        "consistent_group": result.consistent_group,
        **(_statement_columns(cost.statement) if cost.statement else {}),
        **(_backend_columns(cost.backend) if cost.backend else {}),
    }


def _statement_columns(statement: StatementCost) -> Mapping[str, float]:
    return {
        "statement_mean_ms": statement.total_exec_time / statement.calls,
        **{_STATEMENT_COLUMNS.get(name, name): value for name, value in counters(statement).items()},
    }


def _backend_columns(backend: BackendCost) -> Mapping[str, int]:
    return {f"backend_{name}": getattr(backend, name) for name in ("read_bytes", "write_bytes", "wal_bytes")}

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

from seeder.domain.costs import BackendCost, ProcessCost, backend_delta, cpu_delta, delta
from seeder.domain.outcomes import Mode, RefreshResult
from seeder.domain.plan import PlannedView
from seeder.postgres import costs, processes, sessions
from seeder.services.metrics import Measured, Metrics

_LOOK = timedelta(milliseconds=250)  # between two looks at what the backends use
_WRITE = timedelta(seconds=5)  # between two writes of what was measured


class Reading:
    """One refresh as it is measured, by the thread of its seat."""

    def __init__(self, database: str, peak: processes.Peak, process: processes.Process | None, *, deep: bool) -> None:
        self._database, self._peak, self._process, self._deep = database, peak, process, deep
        self._process_before = self._process_now()
        self._backend = self._backend_now()

    @property
    def cpu(self) -> timedelta | None:
        """What its backend has computed so far; None where it is no process that we see."""
        return cpu_delta(self._process_before, self._process_now())

    @property
    def memory(self) -> int | None:
        """The most that its backend was seen to have for itself so far, in bytes."""
        self._peak.look()
        return self._peak.bytes

    @property
    def backend(self) -> BackendCost | None:
        """What its backend has read and written. To be asked for after its transaction."""
        return backend_delta(self._backend, self._backend_now())

    def _process_now(self) -> ProcessCost | None:
        return None if self._process is None else self._process.cost()

    def _backend_now(self) -> BackendCost | None:
        return costs.backend_costs(self._database) if self._deep else None


class Meter:
    """The measuring of one run. But for `reading`, everything is called by the thread that decides."""

    def __init__(self, databases: Iterable[str], clock: Callable[[], float] = monotonic) -> None:
        self._metrics = Metrics()
        self._clock = clock
        self._looked = self._written = clock()
        self._peaks = processes.Peaks()
        self._fresh: list[tuple[PlannedView, Measured]] = []
        self._all: list[tuple[PlannedView, Measured]] = []
        self._before = self._statements(databases)

    @contextmanager
    def reading(self, database: str) -> Iterator[Reading]:
        """Measure the refresh inside."""
        process = processes.own(database)
        with self._peaks.of(process) as peak:
            yield Reading(database, peak, process, deep=self._metrics.missing is None)

    def ended(self, view: PlannedView, history_ids: tuple[int, ...], result: RefreshResult) -> None:
        """A refresh has ended and its rows are written."""
        if self._metrics.missing is None:
            self._fresh.append((view, Measured(history_ids=history_ids, result=result)))

    def beat(self) -> None:
        """To be called often."""
        now = self._clock()
        if now - self._looked >= _LOOK.total_seconds():
            self._looked = now
            self._peaks.look()
        if now - self._written >= _WRITE.total_seconds():
            self._written = now
            self._write(self._fresh)

    def close(self) -> None:
        """Write what is left, and what pg_stat_statements has counted since the beginning."""
        self._write(self._fresh)
        after = self._statements(self._before)
        self._write([(view, self._with_statement(view, measured, after)) for view, measured in self._all])

    def _statements(self, databases: Iterable[str]) -> Mapping[str, costs.StatementCosts]:
        found: dict[str, costs.StatementCosts] = {}
        for database in databases if self._metrics.missing is None else ():
            with suppress(Error):
                seen = costs.statement_costs(database)
                found |= {} if seen is None else {database: seen}
        return found

    def _with_statement(
        self, view: PlannedView, measured: Measured, after: Mapping[str, costs.StatementCosts]
    ) -> Measured:
        database, result = view.key.database, measured.result
        if result.mode is None or database not in after:
            return measured
        which = view.key.name, result.mode is Mode.CONCURRENT
        statement = delta(self._before[database].get(which), after[database].get(which))
        return replace(measured, result=replace(result, cost=replace(result.cost, statement=statement)))

    def _write(self, measured: list[tuple[PlannedView, Measured]]) -> None:
        with suppress(Error):  # the run goes on without its metrics rather than end for them
            sessions.mend(DEFAULT_DB_ALIAS)
            self._metrics.write([one for _, one in measured])
        if measured is self._fresh:
            self._all += self._fresh
            self._fresh = []

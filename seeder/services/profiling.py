"""Looks at a view as it is at one instant: its shape and what it holds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from queue import Empty, SimpleQueue
from threading import Thread

from django.db import Error

from seeder.conf import Settings
from seeder.domain.manifests import ViewKey
from seeder.domain.scans import scans
from seeder.domain.shapes import ViewShape, digest
from seeder.domain.snapshots import ColumnFigures, Figures
from seeder.errors import NeverFilled, NeverSampled, NotAView, UnknownColumn, ViewMissing
from seeder.postgres import catalog, estimates, figures, limits, sessions, steady
from seeder.postgres.sqlstates import is_gone

Told = Callable[[int, int], object]  # hears how many columns are done, and of how many, in whichever thread


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be found out, and what that may take."""

    settings: Settings
    application: str  # what pg_stat_activity shows
    top: frozenset[str] = frozenset()  # the columns whose most frequent values are asked for
    most: int = 10  # of them
    strict: bool = True  # whether the view has to have all these columns
    approximate: bool = False
    connections: int = 1  # that share the work
    in_flight: sessions.InFlight = field(default_factory=sessions.InFlight)

    @property
    def parameters(self) -> Mapping[str, object]:
        of_refresh = limits.Limits(
            lock=self.settings.lock_timeout_ms,
            statement=self.settings.statement_timeout_ms,
            parallel=self.settings.snapshot_connections == 1,  # or it would be in the way of the other connections
            application=self.application,
        )
        return {**of_refresh.parameters, "memory": f"{self.settings.snapshot_memory_mb}MB"}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A view at one instant."""

    shape: ViewShape
    figures: Figures
    at: datetime


def profile(key: ViewKey, asked: Asked, tell: Told = lambda *_: None) -> Profile:
    """Look at a view. Readers and concurrent refreshes go on meanwhile; a plain refresh waits.

    Raises `ViewMissing`, `NotAView`, `NeverFilled`, `NeverSampled`, `UnknownColumn` or PostgreSQL's errors.
    """
    database, name = key.database, key.name
    if catalog.exists(database, name):
        _sample(key, asked)
    with steady.Instant(database, asked.parameters) as instant:
        found = instant.hold(name)
        if found is None:
            raise ViewMissing(view=name, alias=database)
        if not found.is_materialized:
            raise NotAView(view=name, alias=database)
        if not found.populated:
            raise NeverFilled(view=name)
        shape = ViewShape(
            columns=found.columns, definition=digest(found.definition), server_version=found.server_version
        )
        top = _insist_on(key, asked, [column.name for column in shape.columns])
        if asked.approximate:
            estimated = estimates.estimate(database, name, shape.columns, top=top, most=asked.most)
            if estimated is None:
                raise NeverSampled(view=name)
            return Profile(shape=shape, figures=estimated, at=instant.at)
        tasks = [
            figures.Task(view=name, columns=columns, top=top, most=asked.most)
            for columns in scans([column.name for column in shape.columns], estimates.distinct(database, name))
        ]
        counted = _Counting(database, instant, asked, tell).count(tasks)
        rows = next(iter(counted.values()))[0] if counted else figures.rows(database, name)
        columns = {column.name: counted[column.name][1] for column in shape.columns}
        return Profile(shape=shape, figures=Figures(rows=rows, exact=True, columns=columns), at=instant.at)


def _sample(key: ViewKey, asked: Asked) -> None:
    """Have the server's estimates be of now where they are all that is asked for. Exact figures are found sooner where
    it is known which columns have few values, but that is worth no failure."""
    database, name = key.database, key.name
    if asked.approximate:
        estimates.take_sample(database, name, asked.parameters)
    elif not estimates.distinct(database, name):
        try:
            estimates.take_sample(database, name, asked.parameters)
        except Error as error:
            if is_gone(error):
                raise


def _insist_on(key: ViewKey, asked: Asked, columns: Iterable[str]) -> frozenset[str]:
    """The columns of the view whose top values are asked for. Raises `UnknownColumn`."""
    columns = list(columns)
    for column in sorted(asked.top.difference(columns) if asked.strict else ()):
        near = get_close_matches(column, columns, n=1, cutoff=0)
        raise UnknownColumn(
            view=key.name, column=column, nearest=f" The nearest it has is {near[0]!r}." if near else ""
        )
    return asked.top.intersection(columns)


class _Counting:
    """Several connections that see the same instant share the statements of one view."""

    def __init__(self, database: str, instant: "steady.Instant", asked: Asked, tell: Told) -> None:
        self._database, self._instant, self._asked, self._tell = database, instant, asked, tell
        self._total = 0
        self._tasks = SimpleQueue[figures.Task]()
        self._counted: dict[str, tuple[int, ColumnFigures]] = {}
        self._errors: list[BaseException] = []
        self._in_flight = sessions.InFlight()  # of this view, not of others that are captured meanwhile

    def count(self, tasks: Iterable[figures.Task]) -> Mapping[str, tuple[int, ColumnFigures]]:
        tasks = list(tasks)
        self._total = sum(len(task.columns) for task in tasks)
        for task in tasks:
            self._tasks.put(task)
        others = [Thread(target=self._help) for _ in range(min(self._asked.connections, len(tasks)) - 1)]
        for other in others:
            other.start()
        try:
            self._work()
            self._wait_for(others)
        except BaseException as error:  # noqa: BLE001  # raised below, when all have ended
            self._end(error)
        self._wait_for(others)
        if self._errors:
            raise self._errors[0]
        return self._counted

    @staticmethod
    def _wait_for(others: Iterable[Thread]) -> None:
        for other in others:
            other.join()

    def _help(self) -> None:
        try:
            with steady.Instant(self._database, self._asked.parameters, of=self._instant):
                self._work()
        except BaseException as error:  # noqa: BLE001  # raised in the thread that waits for this one
            self._end(error)
        finally:
            sessions.leave()

    def _end(self, error: BaseException) -> None:
        """Have the others end, too. What they are interrupted in comes after what interrupts them."""
        self._errors.append(error)
        self._in_flight.cancel()

    def _work(self) -> None:
        while not self._errors:
            try:
                task = self._tasks.get_nowait()
            except Empty:
                return
            with self._asked.in_flight.of(self._database), self._in_flight.of(self._database):
                self._counted |= figures.count(self._database, task)
            self._tell(len(self._counted), self._total)

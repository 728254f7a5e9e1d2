"""Comparison of queries with the definitions of existing views, over several connections."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock

from django.db import Error, OperationalError, connections

from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, transactions, view_statements
from seeder.postgres.catalog import name_lists
from seeder.postgres.missing_views import lock_table_capacity
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sqlstates import (
    INSUFFICIENT_PRIVILEGE,
    first_line,
    is_connection_lost,
    is_query_error,
    is_transient,
    sqlstate,
)
from seeder.texts import Text

Pair = tuple[ViewName, str]  # a view and a query

_BATCH_SIZE = 50  # queries compared at once, at most
_LOCKS_PER_COMPARISON = 32  # a batch takes a small part of the lock table, even if each query reads many tables
_PAIRS_FOR_HELPER = 1000  # fewer are compared before a second connection would pay
_MAX_LOCKED_VIEWS = 50  # after this number of lock timeouts, the rest is not compared


@dataclass(frozen=True, kw_only=True, slots=True)
class Undetermined:
    """Why a query could not be compared with its view."""

    message: str
    is_locked: bool = False
    is_privilege_error: bool = False


@dataclass(kw_only=True)
class Comparison:
    """Compares pairs in batches. Several threads can work on one comparison, each with its own connection."""

    database: str
    pairs: Sequence[Pair]
    on_progress: Callable[[int, int], object] = lambda *_: None  # the compared number and the total; in any thread
    drift: dict[Pair, str | None] = field(default_factory=dict)  # queries that differ, with PostgreSQL's error
    undetermined: dict[Pair, Undetermined] = field(default_factory=dict)
    _batches: deque[Sequence[Pair]] = field(default_factory=deque)
    _compared_count: int = 0
    _locked_count: int = 0
    _refuses_any_view: bool | None = None
    _turn: Lock = field(default_factory=Lock)

    def run(self) -> None:
        """Compare all pairs in this thread's transaction."""
        self._split()
        self._work()

    def run_with_helper(self) -> None:
        """Do the same, with a second connection if there are many pairs. It sees only committed views."""
        self._split()
        if len(self.pairs) < _PAIRS_FOR_HELPER:
            self._work()
            return
        with ThreadPoolExecutor(max_workers=1) as pool:
            helper = pool.submit(self._run_helper)
            try:
                self._work()
            except BaseException:
                self._batches.clear()
                raise
            helper.result()

    def _split(self) -> None:
        if not self.pairs:
            return
        size = min(_BATCH_SIZE, max(1, lock_table_capacity(self.database) // _LOCKS_PER_COMPARISON))
        self._batches.extend(self.pairs[start : start + size] for start in range(0, len(self.pairs), size))

    def _run_helper(self) -> None:
        try:
            with suppress(OperationalError):  # no connection is free, so the other thread compares all
                connections[self.database].ensure_connection()
            if connections[self.database].connection is not None:
                with transactions.rolled_back_atomic(self.database):
                    sessions.query(self.database, transactions.SHORT_LOCK_TIMEOUT)
                    self._work()
        finally:
            connections[self.database].close()

    def _work(self) -> None:
        while True:
            try:
                batch = self._batches.popleft()
            except IndexError:
                return
            if self._locked_count >= _MAX_LOCKED_VIEWS:
                message = Text("{number} others were locked, so this one was not tried", number=self._locked_count)
                self.undetermined |= dict.fromkeys(batch, Undetermined(message=message, is_locked=True))
                continue
            for pair, answer in _compare(self.database, batch):
                self._add(pair, answer=answer)
            with self._turn:
                self._compared_count += len(batch)
                self.on_progress(self._compared_count, len(self.pairs))

    def _add(self, pair: Pair, *, answer: bool | Error | None) -> None:
        if isinstance(answer, Error):
            if is_query_error(answer) and not self._refuses_views():
                self.drift[pair] = first_line(answer)
                return
            self.undetermined[pair] = Undetermined(
                message=first_line(answer),
                is_locked=is_transient(answer),
                is_privilege_error=sqlstate(answer) == INSUFFICIENT_PRIVILEGE,
            )
            with self._turn:
                self._locked_count += is_transient(answer)
        elif answer is None:
            self.undetermined[pair] = Undetermined(message=Text("it is not a view"))
        elif answer:
            self.drift[pair] = None

    def _refuses_views(self) -> bool:
        """Return whether PostgreSQL refuses the simplest temporary view, as by an event trigger."""
        if self._refuses_any_view is None:
            with transactions.rolled_back_atomic(self.database):
                statement = view_statements.create_comparison_view(0, "SELECT")
                self._refuses_any_view = isinstance(
                    transactions.attempt(
                        self.database, lambda: sessions.execute_single_statement(self.database, statement)
                    ),
                    Error,
                )
        return self._refuses_any_view


def _compare(
    database: str, pairs: Sequence[Pair], column_names: Sequence[str] = ()
) -> list[tuple[Pair, bool | Error | None]]:
    """Return for each pair whether it differs, None if it is not a view, or the error.

    All are tried in one batch. If one fails, the batch is split in halves. A pair that may differ in column names only
    is compared again with those of the view.
    """
    differs: dict[int, bool | Error | None] = {}
    try:
        with transactions.rolled_back_atomic(database):
            views = [
                view_statements.create_comparison_view(number, query, column_names)
                for number, (_, query) in enumerate(pairs)
            ]
            sessions.execute_pipeline(database, views)
            parameters = name_lists(view for view, _ in pairs)
            rows = sessions.query(database, STATEMENTS["compare_definitions"], parameters)
        for number, is_different, names in rows:
            differs[number] = is_different
            if is_different and names:
                [(_, differs[number])] = _compare(database, [pairs[number]], names)
    except Error as error:
        if is_connection_lost(error):
            raise
        if len(pairs) == 1:
            return [(pairs[0], error)]
        middle = len(pairs) // 2
        return _compare(database, pairs[:middle]) + _compare(database, pairs[middle:])
    return [(pair, differs.get(number)) for number, pair in enumerate(pairs)]

"""Runs a statement over many rows, and leaves out the rows that PostgreSQL refuses."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from django.db import Error
from psycopg import sql

from data_pipeline.domain.rejects import Problem
from data_pipeline.postgres.constraint_violations import ViolationSearch
from data_pipeline.postgres.row_sets import RECORD_NO, RowSet, number_list
from data_pipeline.postgres.savepoints import attempt_rows
from seeder.postgres import sessions


@dataclass(kw_only=True, slots=True)
class RowSkippingResult:
    """The number of affected rows, and the refused ones by record number."""

    count: int = 0
    refused: dict[int, Problem] = field(default_factory=dict)


class RowSkippingStatement:
    """An INSERT or UPDATE from a source of rows. `build` returns the statement for a part of the source."""

    def __init__(
        self,
        database: str,
        source: RowSet,
        *,
        search: ViolationSearch,
        build: Callable[[RowSet], sql.Composed],
    ) -> None:
        self._database, self._source, self._search, self._build = database, source, search, build
        self._result = RowSkippingResult()
        self._first_numbers: dict[int, int] = {}  # of the record with the same key, for refused duplicates

    def run(self) -> RowSkippingResult:
        """Affect all rows that PostgreSQL accepts. Raises database errors that are not about a row.

        The first accepted row of a key wins: a duplicate of a row that is refused itself is tried again.
        """
        self._run_part(self._source)
        while again := self._wrongly_refused():
            for number in again:
                del self._result.refused[number]
            self._first_numbers.clear()
            self._run_part(self._source.only(again))
        return self._result

    def _wrongly_refused(self) -> Sequence[int]:
        return [number for number, first in self._first_numbers.items() if first in self._result.refused]

    def _run_part(self, part: RowSet) -> None:
        """Affect the rows of a part.

        Rows that violate a constraint are found by sets. If that finds none, halves are tried until single rows are
        refused.
        """
        refused = set[int]()
        while True:
            rest = part.without(refused) if refused else part
            outcome = attempt_rows(self._database, self._build(rest))
            if not isinstance(outcome, Error):
                self._result.count += outcome
                return
            violations = self._search.find(rest, outcome)
            if not violations:
                break
            refused |= violations.keys()
            self._result.refused |= {number: one.problem for number, one in violations.items()}
            self._first_numbers |= {number: one.first for number, one in violations.items() if one.first is not None}
        self._run_halves(rest, self._numbers(rest))

    def _run_halves(self, part: RowSet, numbers: Sequence[int]) -> None:
        if not numbers:
            return
        outcome = attempt_rows(self._database, self._build(part.between(numbers[0], numbers[-1])))
        if not isinstance(outcome, Error):
            self._result.count += outcome
        elif len(numbers) == 1:
            self._result.refused[numbers[0]] = self._search.problem_of(outcome)
        else:
            middle = len(numbers) // 2
            self._run_halves(part, numbers[:middle])
            self._run_halves(part, numbers[middle:])

    def _numbers(self, part: RowSet) -> list[int]:
        statement = sql.SQL("SELECT s.{} FROM {} AS s ORDER BY 1").format(RECORD_NO, part.relation)
        return [number for (number,) in sessions.query(self._database, statement)]


def delete_records(database: str, table: sql.Identifier, numbers: Collection[int]) -> None:
    """Delete records from a temporary table."""
    if numbers:
        statement = sql.SQL("DELETE FROM {} WHERE {} = ANY ({})").format(table, RECORD_NO, number_list(numbers))
        sessions.query(database, statement)


def insert(target: sql.Composable, source: RowSet, *, with_numbers: bool = False) -> sql.Composed:
    """Return an INSERT of the rows of a source, in the order of the file."""
    columns = sql.SQL(", ").join([*([RECORD_NO] if with_numbers else []), *map(sql.Identifier, source.columns)])
    order = sql.SQL("") if source.is_ordered else sql.SQL(" ORDER BY s.{}").format(RECORD_NO)
    return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} AS s{}").format(
        target, columns, columns, source.relation, order
    )

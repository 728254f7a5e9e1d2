"""Runs a statement over many rows, and skips those that PostgreSQL refuses."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from django.db import Error
from psycopg import sql

from data_pipeline.domain.rejects import Problem
from data_pipeline.postgres.constraint_violations import ViolationSearch
from data_pipeline.postgres.row_errors import diagnostics
from data_pipeline.postgres.row_sets import RECORD_NO, RowSet, number_list
from data_pipeline.postgres.savepoints import attempt_rows
from data_pipeline.postgres.staging_tables import MAX_COLUMNS
from seeder.postgres import sessions

_HALVES = sql.Identifier("pg_temp", "data_pipeline.halves")


@dataclass(kw_only=True, slots=True)
class RowSkippingResult:
    """The number of affected rows, and the refused ones by record number."""

    count: int = 0
    refused: dict[int, list[Problem]] = field(default_factory=dict)


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
        self._constraints: dict[int, list[str]] = {}  # the one that refused a record

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
        self._search.checks.add_to(self._result.refused, self._source, known=self._constraints)
        return self._result

    def _wrongly_refused(self) -> Sequence[int]:
        return [number for number, first in self._first_numbers.items() if first in self._result.refused]

    def _run_part(self, part: RowSet) -> None:
        """Affect the rows of a part.

        Rows that violate a constraint are found by sets. If that finds none, halves are tried.
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
            for number, one in violations.items():
                self._refuse(number, one.problem, outcome)
            self._first_numbers |= {number: one.first for number, one in violations.items() if one.first is not None}
        if numbers := self._numbers(rest):
            self._run_halves(self._indexed(rest), numbers, outcome)

    def _run_halves(self, part: RowSet, numbers: Sequence[int], error: Error | None) -> None:
        """Affect rows of which at least one is refused.

        Their error may be known already.
        """
        if len(numbers) == 1:
            error = error or self._attempt(part, numbers)
            if error is not None:
                self._refuse(numbers[0], self._search.problem_of(error), error)
            return
        middle = len(numbers) // 2
        first, second = numbers[:middle], numbers[middle:]
        if (error := self._attempt(part, first)) is None:
            self._run_halves(part, second, None)
            return
        self._run_halves(part, first, error)
        if (error := self._attempt(part, second)) is not None:
            self._run_halves(part, second, error)

    def _refuse(self, number: int, problem: Problem, error: Error) -> None:
        self._result.refused[number] = [problem]
        self._constraints[number] = [diagnostics(error).constraint_name or ""]

    def _attempt(self, part: RowSet, numbers: Sequence[int]) -> Error | None:
        outcome = attempt_rows(self._database, self._build(part.between(numbers[0], numbers[-1])))
        if isinstance(outcome, Error):
            return outcome
        self._result.count += outcome
        return None

    def _indexed(self, part: RowSet) -> RowSet:
        """Copy the rows into a table with an index.

        An attempt then does not read all of them.
        """
        if len(part.columns) >= MAX_COLUMNS:
            return part
        statement = sql.SQL(
            "DROP TABLE IF EXISTS {halves};"
            " CREATE TEMPORARY TABLE {halves} ON COMMIT DROP AS SELECT s.* FROM {rows} AS s;"
            " CREATE INDEX ON {halves} ({number}); ANALYZE {halves}"
        ).format(halves=_HALVES, rows=part.relation, number=RECORD_NO)
        sessions.query(self._database, statement)
        return RowSet(relation=_HALVES, columns=part.columns)

    def _numbers(self, part: RowSet) -> list[int]:
        statement = sql.SQL("SELECT s.{} FROM {} AS s ORDER BY 1").format(RECORD_NO, part.relation)
        return [number for (number,) in sessions.query(self._database, statement)]


def delete_records(database: str, table: sql.Identifier, numbers: Collection[int]) -> None:
    """Delete records from a temporary table."""
    if numbers:
        statement = sql.SQL("DELETE FROM {} WHERE {} = ANY ({})").format(table, RECORD_NO, number_list(numbers))
        sessions.query(database, statement)


def insert(target: sql.Composable, source: RowSet, *, with_numbers: bool = False) -> sql.Composed:
    """Return an INSERT of the rows, in the order of the file."""
    columns = sql.SQL(", ").join([*([RECORD_NO] if with_numbers else []), *map(sql.Identifier, source.columns)])
    order = sql.SQL("") if source.is_ordered else sql.SQL(" ORDER BY s.{}").format(RECORD_NO)
    return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} AS s{}").format(
        target, columns, columns, source.relation, order
    )

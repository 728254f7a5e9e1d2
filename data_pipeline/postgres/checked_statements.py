"""Runs a statement over many rows, and leaves out the rows that PostgreSQL refuses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import Error
from psycopg import sql

from data_pipeline.domain.rejects import Problem
from data_pipeline.postgres.constraint_violations import RowSource, find_violators
from data_pipeline.postgres.copying import in_savepoint
from data_pipeline.postgres.refusals import diagnostics
from data_pipeline.postgres.target_tables import TargetTable
from seeder.postgres import sessions

ALL_ROWS = sql.SQL("true")


@dataclass(kw_only=True, slots=True)
class CheckedResult:
    """The number of affected rows, and the refused ones by record number."""

    count: int = 0
    refused: dict[int, Problem] = field(default_factory=dict)


class CheckedStatement:
    """An INSERT or UPDATE from a source of rows.

    `build` takes a condition on `s.record_no` and returns the statement. `table` is the temporary table behind the
    source, from which refused rows are deleted.
    """

    def __init__(
        self,
        database: str,
        target: TargetTable,
        source: RowSource,
        *,
        table: sql.Identifier,
        build: Callable[[sql.Composable], sql.Composed],
    ) -> None:
        self._database, self._target, self._source, self._table = database, target, source, table
        self._build = build

    def run(self) -> CheckedResult:
        """Affect all rows that PostgreSQL accepts.

        Rows that violate a constraint are found by sets. If that finds none, halves are tried until single rows are
        refused. Raises other database errors.
        """
        result = CheckedResult()
        while True:
            outcome = self._try(ALL_ROWS)
            if not isinstance(outcome, Error):
                result.count = outcome
                return result
            violators = find_violators(self._database, self._target, self._source, outcome)
            if not violators:
                break
            result.refused |= violators
            self._delete(list(violators))
        self._run_halves(self._numbers(), result)
        self._delete(list(result.refused))
        return result

    def _run_halves(self, numbers: Sequence[int], result: CheckedResult) -> None:
        if not numbers:
            return
        low, high = sql.Literal(numbers[0]), sql.Literal(numbers[-1])
        outcome = self._try(sql.SQL("s.record_no BETWEEN {} AND {}").format(low, high))
        if not isinstance(outcome, Error):
            result.count += outcome
        elif len(numbers) == 1:
            facts = diagnostics(outcome)
            reason = facts.message_primary or str(outcome)
            result.refused[numbers[0]] = Problem(
                column=facts.column_name,
                sqlstate=facts.sqlstate or "",
                reason=f"{reason}: {facts.message_detail}" if facts.message_detail else reason,
            )
        else:
            middle = len(numbers) // 2
            self._run_halves(numbers[:middle], result)
            self._run_halves(numbers[middle:], result)

    def _try(self, condition: sql.Composable) -> int | Error:
        statement = self._build(condition)
        return in_savepoint(self._database, lambda: sessions.query(self._database, statement)[0][0])

    def _numbers(self) -> list[int]:
        statement = sql.SQL("SELECT record_no FROM {} ORDER BY 1").format(self._table)
        return [number for (number,) in sessions.query(self._database, statement)]

    def _delete(self, numbers: list[int]) -> None:
        delete_records(self._database, self._table, numbers)


def delete_records(database: str, table: sql.Identifier, numbers: list[int]) -> None:
    """Delete records from a temporary table."""
    if numbers:
        statement = sql.SQL("DELETE FROM {} WHERE record_no = ANY ({}::bigint[])").format(table, sql.Literal(numbers))
        sessions.query(database, statement)


def counted(statement: sql.Composed) -> sql.Composed:
    """Return a query of the number of rows that a statement affects."""
    return sql.SQL("WITH affected AS ({} RETURNING 1) SELECT count(*) FROM affected").format(statement)


def insert(target: sql.Composable, source: RowSource, condition: sql.Composable) -> sql.Composed:
    """Return a counted INSERT of the rows of a source, in the order of the file."""
    columns = sql.SQL(", ").join(map(sql.Identifier, source.columns))
    statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} AS s WHERE {} ORDER BY s.record_no").format(
        target, columns, columns, source.relation, condition
    )
    return counted(statement)

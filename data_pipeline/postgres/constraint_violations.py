"""Finds the rows that violate a constraint of the target, by sets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

from django.db import Error
from psycopg import sql

from data_pipeline.domain.rejects import MAX_TEXT_LENGTH, Problem
from data_pipeline.postgres.duplicate_keys import Duplicate, UniqueKey, find_duplicates, find_taken
from data_pipeline.postgres.exclusion_conflicts import Exclusion, find_conflicts
from data_pipeline.postgres.failing_checks import CHECK_VIOLATION, FailingChecks
from data_pipeline.postgres.row_errors import diagnostics
from data_pipeline.postgres.row_sets import RECORD_NO, RowSet
from data_pipeline.postgres.statements import STATEMENTS
from data_pipeline.postgres.target_tables import TargetTable
from seeder.postgres import sessions, transactions

UNIQUE_VIOLATION, FOREIGN_KEY_VIOLATION, EXCLUSION_VIOLATION = "23505", "23503", "23P01"


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """A row that violates a constraint."""

    problem: Problem
    first: int | None = None  # the record of the file with the same key


class ViolationSearch:
    """The search of rows that a statement into the target cannot affect.

    `own_key` are the columns by which an UPDATE finds its rows. An INSERT has none.
    """

    def __init__(self, database: str, target: TargetTable, *, own_key: Sequence[str] = ()) -> None:
        self._database, self._target, self._own_key = database, target, own_key
        self.checks = FailingChecks(database, target)
        self._columns: dict[tuple[str | None, ...], str | None] = {}

    def find(self, source: RowSet, error: Error) -> Mapping[int, Violation]:
        """Return the rows that violate the constraint of an error.

        The result is by record number. It is empty if the rows cannot be found by sets:

        - for row security,
        - for constraints on columns that the file does not fill,
        - if a trigger may change the rows,
        - for an UPDATE that an exclusion constraint refuses.
        """
        facts = diagnostics(error)
        if self._target.has_row_triggers:
            return {}
        search = {
            UNIQUE_VIOLATION: self._taken if self._own_key else self._duplicates,
            FOREIGN_KEY_VIOLATION: self._orphans,
            CHECK_VIOLATION: self._failing_check if facts.constraint_name else self._without_partition,
            EXCLUSION_VIOLATION: None if self._own_key else self._conflicts,
        }.get(facts.sqlstate or "")
        if search is None:
            return {}
        # An error is that of an expression over a column that the file does not fill.
        found = transactions.attempt(self._database, lambda: search(source, error))
        return {} if isinstance(found, Error) else found

    def problem_of(self, error: Error) -> Problem:
        """Return the problem of the only row of a statement."""
        facts = diagnostics(error)
        return self._problem(error, facts.message_detail)

    def _problem(self, error: Error, detail: str | None) -> Problem:
        facts = diagnostics(error)
        reason = facts.message_primary or str(error)
        return Problem(
            column=facts.column_name or self._column_of(error),
            sqlstate=facts.sqlstate or "",
            reason=f"{reason}: {detail}" if detail else reason,
        )

    def _column_of(self, error: Error) -> str | None:
        """Return the only column of the violated constraint, or None."""
        names = self._names(error)
        if names["constraint"] is None:
            return None
        key = tuple(names.values())
        if key not in self._columns:
            rows = sessions.query(self._database, STATEMENTS["constraint_column"], names)
            self._columns[key] = rows[0][0] if len(rows) == 1 else None
        return self._columns[key]

    def _names(self, error: Error) -> dict[str, str | None]:
        """Return the names in an error. They are those of a partition if the row goes into one."""
        facts = diagnostics(error)
        return {"schema": facts.schema_name, "table": facts.table_name, "constraint": facts.constraint_name}

    def _catalog(self, statement: str, error: Error) -> sessions.Rows:
        parameters = {"oid": self._target.oid, **self._names(error)}
        return sessions.query(self._database, STATEMENTS[statement], parameters)

    def _violations(self, error: Error, found: Iterable[Duplicate]) -> dict[int, Violation]:
        return {one.number: Violation(problem=self._problem(error, one.detail), first=one.first) for one in found}

    def _duplicates(self, source: RowSet, error: Error) -> Mapping[int, Violation]:
        if not (rows := self._catalog("unique_index", error)):
            return {}
        key = UniqueKey.from_index(*rows[0])
        found = find_duplicates(self._database, source, key, table=self._target.identifier)
        return self._violations(error, found)

    def _taken(self, source: RowSet, error: Error) -> Mapping[int, Violation]:
        if not (rows := self._catalog("unique_index", error)):
            return {}
        key = UniqueKey.from_index(*rows[0])
        found = find_duplicates(self._database, source, key, table=None)
        taken = find_taken(self._database, source, key, target=self._target, own_key=self._own_key)
        return self._violations(error, [*found, *taken])

    def _conflicts(self, source: RowSet, error: Error) -> Mapping[int, Violation]:
        if not (rows := self._catalog("exclusion_constraint", error)):
            return {}
        found = find_conflicts(self._database, source, Exclusion(*rows[0]), table=self._target.identifier)
        return self._violations(error, found)

    def _without_partition(self, source: RowSet, _: Error) -> Mapping[int, Violation]:
        [(condition, columns)] = sessions.query(
            self._database, STATEMENTS["partition_condition"], {"oid": self._target.oid}
        )
        if condition is None:
            return {}
        statement = sql.SQL(
            "SELECT s.{}, format('no partition of %s accepts the row: (%s) is (%s)', {}, {}, left(concat_ws(', ', {}),"
            " {})) FROM {} AS s WHERE ({}) IS NOT TRUE"
        ).format(
            RECORD_NO,
            sql.Literal(str(self._target.name)),
            sql.Literal(", ".join(columns)),
            _columns(columns),
            sql.Literal(MAX_TEXT_LENGTH),
            source.relation,
            sql.SQL(condition),
        )
        found = sessions.query(self._database, statement)
        return {
            number: Violation(problem=Problem(column=None, sqlstate=CHECK_VIOLATION, reason=reason))
            for number, reason in found
        }

    def _orphans(self, source: RowSet, error: Error) -> Mapping[int, Violation]:
        if not (rows := self._catalog("foreign_key", error)):
            return {}
        columns, parent, parent_columns, operators, is_own_parent = rows[0]
        pairs = list(zip(columns, parent_columns, operators, strict=True))
        # PostgreSQL checks a statement at its end, so that a parent can be among its rows.
        parents = [sql.SQL(parent), *([source.relation] if is_own_parent else [])]  # regclass quotes the name
        absent = sql.SQL(" AND ").join(
            sql.SQL("NOT EXISTS (SELECT FROM {} AS p WHERE {})").format(one, _pairs(pairs)) for one in parents
        )
        statement = sql.SQL(
            "SELECT s.{}, format('Key (%s)=(%s) is not in the table %s', {}, left(concat_ws(', ', {}), {}), {})"
            " FROM {} AS s WHERE ROW({}) IS NOT NULL AND {}"
        ).format(
            RECORD_NO,
            sql.Literal(", ".join(columns)),
            _columns(columns),
            sql.Literal(MAX_TEXT_LENGTH),
            sql.Literal(parent),
            source.relation,
            _columns(columns),
            absent,
        )
        found = sessions.query(self._database, statement)
        return {number: Violation(problem=self._problem(error, detail)) for number, detail in found}

    def _failing_check(self, source: RowSet, error: Error) -> Mapping[int, Violation]:
        if not (rows := self._catalog("check_expression", error)):
            return {}
        statement = sql.SQL("SELECT s.{} FROM {} AS s WHERE NOT ({})").format(
            RECORD_NO, source.relation, sql.SQL(rows[0][0])
        )
        found = sessions.query(self._database, statement)
        return {number: Violation(problem=self._problem(error, None)) for (number,) in found}


def _columns(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier("s", name) for name in names)


def _pairs(columns: Sequence[tuple[str, str, LiteralString]]) -> sql.Composed:
    return sql.SQL(" AND ").join(
        sql.SQL("{} {} {}").format(sql.Identifier("p", parent), sql.SQL(equality), sql.Identifier("s", own))
        for own, parent, equality in columns
    )

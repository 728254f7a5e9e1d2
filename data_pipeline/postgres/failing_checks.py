"""Finds all CHECK constraints that rejected records violate.

PostgreSQL names the first one only, and none if a value of the record is bad.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from django.db import Error
from psycopg import sql

from data_pipeline.domain.rejects import Problem
from data_pipeline.postgres.row_sets import RECORD_NO, RowSet
from data_pipeline.postgres.statements import STATEMENTS
from data_pipeline.postgres.target_tables import TargetTable
from seeder.postgres import sessions
from seeder.postgres.transactions import attempt

CHECK_VIOLATION = "23514"


class Check(NamedTuple):
    """A CHECK constraint."""

    name: str
    expression: str  # SQL
    columns: Collection[str]

    @property
    def column(self) -> str | None:
        """The only column, or None."""
        return next(iter(self.columns)) if len(self.columns) == 1 else None


class FailingChecks:
    """The CHECK constraints of a target, and the rows that violate them."""

    def __init__(self, database: str, target: TargetTable) -> None:
        self._database, self._target = database, target

    def add_to(
        self, problems: dict[int, list[Problem]], source: RowSet, *, known: Mapping[int, Collection[str]]
    ) -> None:
        """Add the violations of rows that have other problems.

        `known` has the columns and constraints of these problems, by record number: a constraint that is one of them,
        or that needs such a column, is left out.
        """
        for number, check in self._violations(source.only(problems)) if problems else ():
            if not {check.name, *check.columns} & set(known.get(number, ())):
                reason = f'new row for relation "{self._target.name.name}" violates check constraint "{check.name}"'
                problem = Problem(column=check.column, sqlstate=CHECK_VIOLATION, reason=reason)
                problems[number].append(problem)

    def _violations(self, source: RowSet) -> Sequence[tuple[int, Check]]:
        checks = [one for one in self._checks if set(one.columns) <= set(source.columns)]
        if not checks:
            return []
        conditions = sql.SQL(", ").join(
            sql.SQL("({}, ({}))").format(at, sql.SQL(one.expression)) for at, one in enumerate(checks)
        )
        statement = sql.SQL(
            "SELECT s.{number}, c.place FROM {source} AS s CROSS JOIN LATERAL (VALUES {conditions}) AS c (place, holds)"
            " WHERE NOT c.holds ORDER BY 1, 2"
        ).format(number=RECORD_NO, source=source.relation, conditions=conditions)
        rows = attempt(self._database, lambda: sessions.query(self._database, statement))
        # An expression can raise an error instead of being false.
        return [] if isinstance(rows, Error) else [(number, checks[at]) for number, at in rows]

    @cached_property
    def _checks(self) -> Sequence[Check]:
        """The constraints. None if triggers may change the row before it is checked."""
        if self._target.has_row_triggers:
            return []
        return [Check(*row) for row in sessions.query(self._database, STATEMENTS["checks"], {"oid": self._target.oid})]

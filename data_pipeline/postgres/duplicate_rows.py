"""Rows of `ROWS` whose key an earlier row has. One of them is tried if the earlier row is refused."""

from collections.abc import Collection, Sequence

from psycopg import sql

from data_pipeline.domain.rejects import Problem
from data_pipeline.postgres.constraint_violations import UNIQUE_VIOLATION
from data_pipeline.postgres.duplicate_keys import UniqueKey, find_duplicates
from data_pipeline.postgres.row_sets import RECORD_NO, RowSet, number_list
from data_pipeline.postgres.staging_tables import ROWS
from seeder.postgres import sessions

_KEPT = sql.Identifier("pg_temp", "data_pipeline.again")


class DuplicateRows:
    """The duplicates of one merge."""

    def __init__(self, database: str, source: RowSet, key: Sequence[str]) -> None:
        self._database, self._source, self._key = database, source, key
        self._first_numbers: dict[int, int | None] = {}  # of the record with the same key, by record number
        self._is_kept = False

    def find(self) -> dict[int, list[Problem]]:
        """Return the problems of rows whose key an earlier row has.

        Keep these rows.
        """
        column = self._key[0] if len(self._key) == 1 else None
        found = list(find_duplicates(self._database, self._source, UniqueKey.of_columns(self._key), table=None))
        self._first_numbers = {one.number: one.first for one in found}
        if found and not self._is_kept:
            statement = sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT * FROM {} AS s WHERE {}")
            sessions.query(self._database, statement.format(_KEPT, ROWS, _has_number(self._first_numbers)))
            self._is_kept = True
        return {
            one.number: [Problem(column=column, sqlstate=UNIQUE_VIOLATION, reason=f"duplicate key: {one.detail}")]
            for one in found
        }

    def bring_back(self, refused: Collection[int]) -> Collection[int]:
        """Replace the rows by those whose first one was refused. Return their numbers."""
        again = [number for number, first in self._first_numbers.items() if first in refused]
        if again:
            statement = sql.SQL("TRUNCATE {rows}; INSERT INTO {rows} SELECT * FROM {kept} AS s WHERE {again}")
            sessions.query(self._database, statement.format(rows=ROWS, kept=_KEPT, again=_has_number(again)))
        return again


def _has_number(numbers: Collection[int]) -> sql.Composed:
    return sql.SQL("s.{} = ANY ({})").format(RECORD_NO, number_list(numbers))

"""Finds the rows that an exclusion constraint refuses.

They conflict with an earlier row, or with a row of the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from data_pipeline.domain.rejects import MAX_TEXT_LENGTH
from data_pipeline.postgres.duplicate_keys import Duplicate
from data_pipeline.postgres.row_sets import RECORD_NO, RowSet
from seeder.postgres import sessions

_KEPT = sql.Identifier("pg_temp", "data_pipeline.kept")


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An exclusion constraint, as the catalog describes it."""

    definition: str
    expressions: Sequence[str]
    operators: Sequence[str]
    predicate: str | None  # the rows for which it holds; None for all

    def keys_of(self, relation: sql.Composable, *others: sql.Composable) -> sql.Composed:
        """Return a subquery of the expressions, named `k0`, `k1` and so on."""
        keys = [sql.SQL("{} AS {}").format(sql.SQL(one), _name(at)) for at, one in enumerate(self.expressions)]
        condition = sql.SQL("") if self.predicate is None else sql.SQL(" WHERE {}").format(sql.SQL(self.predicate))
        return sql.SQL("(SELECT {} FROM {} AS s{})").format(sql.SQL(", ").join([*others, *keys]), relation, condition)

    @property
    def conflict(self) -> sql.Composed:
        """The condition that the keys of `t` and `s` conflict."""
        return sql.SQL(" AND ").join(
            sql.SQL("t.{} {} s.{}").format(_name(at), sql.SQL(one), _name(at)) for at, one in enumerate(self.operators)
        )


def find_conflicts(database: str, source: RowSet, exclusion: Exclusion, *, table: sql.Composable) -> list[Duplicate]:
    """Return the rows that conflict with an earlier row or the table.

    PostgreSQL finds them by inserting the rows into an empty table that has the same constraint.
    """
    keys, numbered = exclusion.keys_of, sql.SQL("s.{}").format(RECORD_NO)
    facts = {
        "kept": _KEPT,
        "number": RECORD_NO,
        "rows": source.relation,
        "definition": sql.SQL(exclusion.definition),
        "row_keys": keys(source.relation, numbered),
        "kept_keys": keys(_KEPT, numbered),
        "table_keys": keys(table),
        "conflict": exclusion.conflict,
        "text": sql.Literal(", ".join(exclusion.expressions)),
        "values": sql.SQL(", ").join(sql.SQL("s.{}").format(_name(at)) for at in range(len(exclusion.expressions))),
        "length": sql.Literal(MAX_TEXT_LENGTH),
    }
    sessions.query(
        database,
        sql.SQL(
            "CREATE TEMPORARY TABLE {kept} ON COMMIT DROP AS SELECT s.* FROM {rows} AS s LIMIT 0;"
            " ALTER TABLE {kept} ADD {definition};"
            " INSERT INTO {kept} SELECT s.* FROM {rows} AS s WHERE s.{number} NOT IN ("
            "   SELECT s.{number} FROM {row_keys} AS s WHERE EXISTS (SELECT FROM {table_keys} AS t WHERE {conflict})"
            " ) ORDER BY s.{number} ON CONFLICT DO NOTHING"
        ).format(**facts),
    )
    found = sessions.query(
        database,
        sql.SQL(
            "SELECT number, first, format('Key (%s)=(%s) conflicts with %s', {text}, left(concat_ws(', ', {values}),"
            " {length}), coalesce('record ' || first, 'a row of the table')) FROM (SELECT s.*, s.{number} AS number,"
            " (SELECT min(t.{number}) FROM {kept_keys} AS t WHERE {conflict} AND t.{number} < s.{number}) AS first"
            " FROM {row_keys} AS s"
            " WHERE s.{number} NOT IN (SELECT {number} FROM {kept})) AS s"
        ).format(**facts),
    )
    sessions.query(database, sql.SQL("DROP TABLE {}").format(_KEPT))
    return [Duplicate(*row) for row in found]


def _name(at: int) -> sql.Identifier:
    return sql.Identifier(f"k{at}")

"""Finds rows whose key an earlier row or a table has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from psycopg import sql

from data_pipeline.domain.rejects import MAX_TEXT_LENGTH
from data_pipeline.postgres.row_sets import RECORD_NO, RowSet
from seeder.postgres import sessions


@dataclass(frozen=True, kw_only=True, slots=True)
class UniqueKey:
    """What must be unique: columns or expressions, perhaps of some rows only."""

    expressions: Sequence[sql.Composable]
    text: str  # for messages
    predicate: sql.Composable | None = None  # the rows for which it holds; None for all
    nulls_are_equal: bool = False

    @classmethod
    def of_columns(cls, names: Sequence[str]) -> "UniqueKey":
        """Return the key of some columns."""
        return cls(expressions=list(map(sql.Identifier, names)), text=", ".join(names))

    @classmethod
    def from_index(cls, expressions: Sequence[str], predicate: str | None, nulls_are_equal: bool) -> "UniqueKey":  # noqa: FBT001  # a row
        """Return the key of an index, whose expressions are those of the catalog."""
        return cls(
            expressions=list(map(sql.SQL, expressions)),
            text=", ".join(expressions),
            predicate=None if predicate is None else sql.SQL(predicate),
            nulls_are_equal=nulls_are_equal,
        )


class Duplicate(NamedTuple):
    """A row whose key is not new."""

    number: int
    first: int | None  # the first record of the file with the same key; None if the key is in the table
    detail: str


def find_duplicates(
    database: str, source: RowSet, key: UniqueKey, *, table: sql.Composable | None
) -> Iterable[Duplicate]:
    """Return the rows whose key an earlier row has, or the table."""
    names = [sql.Identifier(f"k{at}") for at in range(len(key.expressions))]
    keys = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(expression, name) for expression, name in zip(key.expressions, names, strict=True)
    )
    condition = sql.SQL("") if key.predicate is None else sql.SQL(" WHERE {}").format(key.predicate)
    in_table: sql.Composable = sql.SQL("false")
    if table is not None:
        in_table = sql.SQL("EXISTS (SELECT FROM (SELECT {} FROM {}{}) AS t WHERE {})").format(
            keys, table, condition, sql.SQL(" AND ").join(_is_equal(name, key) for name in names)
        )
    key_columns = sql.SQL(", ").join(names)
    statement = sql.SQL(
        "SELECT s.{number}, CASE WHEN NOT s.is_in_table THEN s.first_no END,"
        " format('Key (%s)=(%s) is ' || CASE WHEN s.is_in_table THEN 'in the table already'"
        "   ELSE 'in record ' || s.first_no || ' already' END, {text}, left(concat_ws(', ', {keys}), {length}))"
        " FROM (SELECT s.*, {in_table} AS is_in_table, min(s.{number}) OVER (PARTITION BY {keys}) AS first_no"
        "   FROM (SELECT s.{number}, {expressions} FROM {source} AS s{condition}) AS s) AS s"
        " WHERE (s.is_in_table OR s.first_no < s.{number}){not_null}"
    ).format(
        number=RECORD_NO,
        text=sql.Literal(key.text),
        keys=key_columns,
        length=sql.Literal(MAX_TEXT_LENGTH),
        in_table=in_table,
        expressions=keys,
        source=source.relation,
        condition=condition,
        not_null=sql.SQL("" if key.nulls_are_equal else " AND num_nulls({}) = 0").format(key_columns),
    )
    return [Duplicate(*row) for row in sessions.query(database, statement)]


def _is_equal(name: sql.Identifier, key: UniqueKey) -> sql.Composed:
    equal = sql.SQL("t.{} = s.{}").format(name, name)
    if not key.nulls_are_equal:
        return equal
    # IS NOT DISTINCT FROM could not use the index.
    return sql.SQL("({} OR t.{} IS NULL AND s.{} IS NULL)").format(equal, name, name)

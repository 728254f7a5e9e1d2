"""Finds rows whose key an earlier row or a table has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from psycopg import sql

from data_pipeline.domain.rejects import MAX_TEXT_LENGTH
from data_pipeline.postgres.row_sets import RECORD_NO, RowSet
from data_pipeline.postgres.target_tables import TargetTable
from seeder.postgres import sessions


@dataclass(frozen=True, kw_only=True, slots=True)
class UniqueKey:
    """What must be unique: columns or expressions, perhaps of some rows only."""

    expressions: Sequence[sql.Composable]
    text: str  # for messages
    operators: Sequence[str]  # of equality, for each expression
    predicate: sql.Composable | None = None  # the rows for which it holds; None for all
    nulls_are_equal: bool = False
    is_deferrable: bool = False  # checked at the end of a statement, not row by row

    @classmethod
    def of_columns(cls, names: Sequence[str]) -> "UniqueKey":
        """Return the key of some columns."""
        return cls(expressions=list(map(sql.Identifier, names)), text=", ".join(names), operators=["="] * len(names))

    @classmethod
    def from_index(
        cls,
        expressions: Sequence[str],
        operators: Sequence[str],
        predicate: str | None,
        nulls_are_equal: bool,  # noqa: FBT001  # a row
        is_deferrable: bool,  # noqa: FBT001
    ) -> "UniqueKey":
        """Return the key of an index.

        Its expressions are those of the catalog.
        """
        return cls(
            expressions=list(map(sql.SQL, expressions)),
            text=", ".join(expressions),
            operators=operators,
            predicate=None if predicate is None else sql.SQL(predicate),
            nulls_are_equal=nulls_are_equal,
            is_deferrable=is_deferrable,
        )

    @property
    def names(self) -> Sequence[sql.Identifier]:
        """The names of the expressions in a query: `k0`, `k1` and so on."""
        return [sql.Identifier(f"k{at}") for at in range(len(self.expressions))]

    @property
    def columns(self) -> sql.Composed:
        """The expressions with their names."""
        pairs = zip(self.expressions, self.names, strict=True)
        return sql.SQL(", ").join(sql.SQL("{} AS {}").format(expression, name) for expression, name in pairs)

    @property
    def condition(self) -> sql.Composable:
        """The WHERE of the rows for which it holds."""
        return sql.SQL("") if self.predicate is None else sql.SQL(" WHERE {}").format(self.predicate)

    @property
    def is_equal(self) -> sql.Composed:
        """The condition that `t` and `s` have the same key. Without `nulls_are_equal`, null is no key."""
        equal = "t.{0} {1} s.{0}"
        if self.nulls_are_equal:  # IS NOT DISTINCT FROM could not use the index
            equal = "(t.{0} {1} s.{0} OR t.{0} IS NULL AND s.{0} IS NULL)"
        pairs = zip(self.names, map(sql.SQL, self.operators), strict=True)
        return sql.SQL(" AND ").join(sql.SQL(equal).format(name, operator) for name, operator in pairs)


class Duplicate(NamedTuple):
    """A row whose key is not new."""

    number: int
    first: int | None  # the first record of the file with the same key; None if the key is in the table
    detail: str


def find_duplicates(
    database: str, source: RowSet, key: UniqueKey, *, table: sql.Composable | None
) -> Iterable[Duplicate]:
    """Return the rows whose key an earlier row has, or the table."""
    in_table: sql.Composable = sql.SQL("false")
    if table is not None:
        in_table = sql.SQL("EXISTS (SELECT FROM (SELECT {} FROM {}{}) AS t WHERE {})").format(
            key.columns, table, key.condition, key.is_equal
        )
    key_columns = sql.SQL(", ").join(key.names)
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
        expressions=key.columns,
        source=source.relation,
        condition=key.condition,
        not_null=sql.SQL("" if key.nulls_are_equal else " AND num_nulls({}) = 0").format(key_columns),
    )
    return [Duplicate(*row) for row in sessions.query(database, statement)]


def find_taken(
    database: str, source: RowSet, key: UniqueKey, *, target: TargetTable, own_key: Sequence[str]
) -> Iterable[Duplicate]:
    """Return the updated rows that would get the key of another row.

    `own_key` are the columns that identify the row which is updated. That the UPDATE changes the other row, too, helps
    only if the key is deferrable.
    """
    statement = sql.SQL(
        "SELECT s.{number}, NULL, format('Key (%s)=(%s) is ' || coalesce('that of the row of record ' || o.{number}"
        "   || ', which the file changes, too. Such a swap needs a DEFERRABLE constraint', 'in the table already'),"
        "   {text}, left(concat_ws(', ', {keys}), {length}))"
        " FROM (SELECT s.*, {expressions} FROM {source} AS s{condition}) AS s"
        " JOIN (SELECT {own}, {expressions} FROM {table}{condition}) AS t ON {is_equal} AND ({is_own}) IS NOT TRUE"
        " LEFT JOIN {source} AS o ON {is_of_other}{where}"
    ).format(
        number=RECORD_NO,
        text=sql.Literal(key.text),
        keys=sql.SQL(", ").join(sql.SQL("s.{}").format(name) for name in key.names),
        length=sql.Literal(MAX_TEXT_LENGTH),
        expressions=key.columns,
        source=source.relation,
        condition=key.condition,
        own=sql.SQL(", ").join(map(sql.Identifier, own_key)),
        table=target.identifier,
        is_equal=key.is_equal,
        is_own=target.same_values(own_key, "t", "s"),
        is_of_other=target.same_values(own_key, "t", "o"),
        where=sql.SQL(" WHERE o.{} IS NULL" if key.is_deferrable else "").format(RECORD_NO),
    )
    return [Duplicate(*row) for row in sessions.query(database, statement)]

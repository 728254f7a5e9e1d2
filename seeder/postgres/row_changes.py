"""Compares the rows of a view before its refresh with those after it, in the refresh's transaction.

The rows from before are a temporary copy, because nothing in the transaction can read them afterwards: a plain refresh
replaces the storage of the view, and the old rows of a concurrent one are invisible. The copy ends with the
transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from psycopg import sql

from seeder.domain.row_changes import (
    MAX_VALUE_CHARACTERS,
    ChangedRow,
    ColumnValues,
    RowChangeKind,
    RowChanges,
    left_out_text,
)
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, transactions, view_statements
from seeder.postgres.data_check_queries import ReadOnlyPart
from seeder.postgres.named_statements import STATEMENTS


@dataclass(frozen=True, kw_only=True, slots=True)
class RowMatching:
    """How the rows of a view before and after a refresh are matched."""

    view: ViewName
    oid: int
    is_filled: bool
    size_bytes: int  # without indexes
    columns: Sequence[str]
    key_columns: Sequence[str]  # of a unique index; empty without one
    operators: Sequence[tuple[str, str]]  # their equality operators: schema and name

    @property
    def copy_name(self) -> sql.Identifier:
        """The temporary table with the rows from before."""
        return sql.Identifier("pg_temp", f"seeder_rows_before_{self.oid}")


def find_matching(database: str, view: ViewName) -> RowMatching | None:
    """Return how the rows of a view are matched, or None if it does not exist."""
    rows = sessions.query(database, STATEMENTS["row_matching"], asdict(view))
    if not rows:
        return None
    [(oid, is_filled, size, columns, key_columns, schemas, operators)] = rows
    return RowMatching(
        view=view,
        oid=oid,
        is_filled=is_filled,
        size_bytes=size,
        columns=columns,
        key_columns=key_columns or (),
        operators=list(zip(schemas or (), operators or (), strict=True)),
    )


def copy_rows(database: str, matching: RowMatching) -> None:
    """Copy the rows of a view until the end of the transaction. An error leaves the transaction as before."""
    statement = sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT * FROM {}")
    view = view_statements.view_identifier(matching.view)
    transactions.query_in_savepoint(database, statement.format(matching.copy_name, view))


def compare_rows(database: str, matching: RowMatching, *, max_rows: int, timeout_ms: int) -> RowChanges:
    """Compare the copied rows with the present ones. An error leaves the transaction as before."""
    with ReadOnlyPart(database, timeout_ms=timeout_ms) as part:
        [(_, counts, *_), *found] = part.query(_comparison(matching, max_rows))
    inserted, deleted, updated, left_out = counts
    order = list(RowChangeKind)
    rows = [
        ChangedRow.of(
            RowChangeKind(kind), [*map(ColumnValues, matching.columns, old, new, differs)], matching.key_columns
        )
        for kind, _, old, new, differs in found
    ]
    return RowChanges(
        inserted=inserted,
        deleted=deleted,
        updated=updated,
        rows=tuple(sorted(rows, key=lambda row: order.index(row.kind))),
        note=left_out_text(left_out, matching.key_columns),
    )


def _comparison(matching: RowMatching, max_rows: int) -> sql.Composed:
    """Return the statement. Its first row has the counts, and each other one a changed row.

    Rows are equal if their binary images are, as for REFRESH ... CONCURRENTLY. Only the addresses of changed rows are
    kept, so that many of them need little memory.
    """
    before, after = ([_column(side, name) for name in matching.key_columns] for side in ("before", "after"))
    matched = [
        sql.SQL("{} OPERATOR({}.{}) {}").format(old, sql.Identifier(schema), sql.SQL(name), new)
        for old, new, (schema, name) in zip(before, after, matching.operators, strict=True)
    ]
    texts = [[sql.SQL("{}::text").format(_column(side, name)) for name in matching.columns] for side in _SIDES]
    cut = [[sql.SQL("left({}, {})").format(text, MAX_VALUE_CHARACTERS + 1) for text in side] for side in texts]
    differs = [sql.SQL("{} IS DISTINCT FROM {}").format(*pair) for pair in zip(*texts, strict=True)]
    return sql.SQL(_COMPARISON).format(
        copied=matching.copy_name,
        view=view_statements.view_identifier(matching.view),
        matched=sql.SQL(" AND ").join(matched),
        has_key=sql.SQL(" OR ").join(map(_all_filled, (before, after))),
        max_rows=max_rows,
        old=sql.SQL(", ").join(cut[0]),
        new=sql.SQL(", ").join(cut[1]),
        differs=sql.SQL(", ").join(differs),
    )


_SIDES = ("before", "after")
_COMPARISON = """
WITH changed AS MATERIALIZED (
    SELECT
        before.ctid AS old, after.ctid AS new, {has_key} AS has_key,
        CASE WHEN before.ctid IS NULL THEN 'inserted' WHEN after.ctid IS NULL THEN 'deleted' ELSE 'updated' END AS kind
    FROM {copied} AS before
    FULL JOIN {view} AS after ON {matched}
    WHERE before.ctid IS NULL OR after.ctid IS NULL OR before.* OPERATOR(pg_catalog.*<>) after.*
), sample AS (
    (SELECT * FROM changed WHERE kind = 'updated' AND has_key LIMIT {max_rows})
    UNION ALL
    (SELECT * FROM changed WHERE kind = 'inserted' AND has_key LIMIT {max_rows})
    UNION ALL
    (SELECT * FROM changed WHERE kind = 'deleted' AND has_key LIMIT {max_rows})
)
SELECT
    NULL,
    ARRAY[
        count(*) FILTER (WHERE kind = 'inserted' AND has_key),
        count(*) FILTER (WHERE kind = 'deleted' AND has_key),
        count(*) FILTER (WHERE kind = 'updated'),
        count(*) FILTER (WHERE kind = 'inserted' AND NOT has_key)
    ],
    NULL, NULL, NULL
FROM changed
UNION ALL
SELECT sample.kind, NULL, ARRAY[{old}], ARRAY[{new}], ARRAY[{differs}]
FROM sample
LEFT JOIN {copied} AS before ON before.ctid = sample.old
LEFT JOIN {view} AS after ON after.ctid = sample.new
"""


def _column(side: str, name: str) -> sql.Composable:
    return sql.Identifier(side, name)


def _all_filled(columns: Iterable[sql.Composable]) -> sql.Composed:
    filled = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(column) for column in columns)
    return sql.SQL("({})").format(filled)

"""Sets of rows by record number, of which parts can be taken."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from psycopg import sql

RECORD_NO_NAME = "data_pipeline.record_no"  # beside the columns of a target, of which none has such a name
RECORD_NO = sql.Identifier(RECORD_NO_NAME)


@dataclass(frozen=True, kw_only=True, slots=True)
class RowSet:
    """A relation or subquery of rows, each with its record number.

    Its columns have the names and types of the target's.
    """

    relation: sql.Composable
    columns: Sequence[str]
    is_ordered: bool = False  # a scan returns the rows in the order of the file

    def where(self, condition: sql.Composable) -> "RowSet":
        """Return the rows for which a condition on `s` holds."""
        return replace(self, relation=sql.SQL("(SELECT s.* FROM {} AS s WHERE {})").format(self.relation, condition))

    def only(self, numbers: Collection[int]) -> "RowSet":
        """Return the rows with these record numbers."""
        return self.where(sql.SQL("s.{} = ANY ({})").format(RECORD_NO, number_list(numbers)))

    def without(self, numbers: Collection[int]) -> "RowSet":
        """Return the rows without these record numbers."""
        return self.where(sql.SQL("s.{} <> ALL ({})").format(RECORD_NO, number_list(numbers)))

    def between(self, first: int, last: int) -> "RowSet":
        """Return the rows from one record number to another."""
        limits = sql.Literal(first), sql.Literal(last)
        return self.where(sql.SQL("s.{} BETWEEN {} AND {}").format(RECORD_NO, *limits))


def number_list(numbers: Collection[int]) -> sql.Composed:
    """Return an array of record numbers."""
    return sql.SQL("{}::bigint[]").format(sql.Literal(sorted(numbers)))

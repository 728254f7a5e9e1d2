"""Counts and value ranges of a view's columns, computed by the server: no row leaves it.

Equal values are grouped once per column. That gives nulls, distinct values, range and top values together. Numbers and
times with many values are sorted, others are hashed. Columns with few values, by the server's estimate, share a scan.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from django.db import Error
from psycopg import sql
from psycopg.rows import class_row

from seeder.domain.snapshots.snapshot_contents import ColumnStatistics, TopValue
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, transactions, view_statements
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sqlstates import sqlstate

_UNSUPPORTED_SQLSTATES = {"42883", "42725"}  # no such function or operator for the type, or several

_VALUE = sql.SQL("value")

# Expressions that print equal numbers alike, such as 1.0 and 1.00, or -0 and 0. The zero is an untyped literal: an
# integer would turn real into double precision.
_UNSIGNED_ZERO = sql.SQL("({value} + '0')::text")
_TEXT_EXPRESSIONS = {
    "numeric": sql.SQL("trim_scale({value})::text"),
    "real": _UNSIGNED_ZERO,
    "double precision": _UNSIGNED_ZERO,
    "boolean": sql.SQL("{value}::text"),  # true or false, not t or f
}
# Other types print by their output function. A cast to text would add a netmask to inet, and trim character(n).
_PRINTED = sql.SQL("CASE WHEN {value} IS DISTINCT FROM NULL THEN concat({value}) END")

CountedColumns = Mapping[str, tuple[int, ColumnStatistics]]  # by column: number of rows, and statistics
Statements = Iterator[tuple[str | None, sql.Composed]]  # each with what the column's type lacks if only it succeeds


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedColumn:
    """A column, with the facts that decide how its values are compared and printed."""

    name: str
    base_type: str  # as format_type() prints it; never a domain
    has_minimum: bool  # min() and max() have the order of the type
    is_by_value: bool  # PostgreSQL passes its values in a register, such as numbers and times, and sorts them quickly


@dataclass(frozen=True, kw_only=True, slots=True)
class CountTask:
    """Columns that one statement counts."""

    view: ViewName
    columns: tuple[CountedColumn, ...]
    top_columns: frozenset[str]  # columns whose most frequent values are counted
    max_top_values: int
    has_many_values: bool = False  # by estimate; never if there are several columns

    def limit(self, column: CountedColumn) -> int:
        """The maximum number of top values."""
        return self.max_top_values if column.name in self.top_columns else 0


def read_columns(database: str, view: ViewName) -> Sequence[CountedColumn]:
    """Return the columns of a view, in order."""
    return sessions.query(database, STATEMENTS["column_types"], asdict(view), row_factory=class_row(CountedColumn))


def count_columns(database: str, task: CountTask) -> CountedColumns:
    """Count the columns in the caller's transaction, as far as their types allow.

    The statements are tried, because a domain, array or composite has the operators of its elements.
    """
    if len(task.columns) > 1:
        rows = query_if_supported(database, _combined_statement(task))
        if rows is not None:
            return _parse_summaries(task, rows)
        counted: dict[str, tuple[int, ColumnStatistics]] = {}
        for column in task.columns:
            counted |= count_columns(database, replace(task, columns=(column,)))
        return counted
    unsupported, rows = query_first_supported(database, _single_column_statements(task))
    return _parse_summaries(task, rows, unsupported=unsupported)


def query_first_supported(database: str, statements: Statements) -> tuple[str | None, sessions.Rows]:
    """Return what a column's type lacks, and the rows of the first statement that it supports."""
    answers = ((unsupported, query_if_supported(database, statement)) for unsupported, statement in statements)
    return next((unsupported, rows) for unsupported, rows in answers if rows is not None)


def query_if_supported(database: str, statement: sql.Composed) -> sessions.Rows | None:
    """Return the rows of a statement, or None if a type lacks an operator or function."""
    try:
        return transactions.query_in_savepoint(database, statement)
    except Error as error:
        if sqlstate(error) not in _UNSUPPORTED_SQLSTATES:
            raise
        return None


def _parse_summaries(task: CountTask, rows: sessions.Rows, *, unsupported: str | None = None) -> CountedColumns:
    counted = {}
    for number, all_rows, nulls, distinct, minimum, maximum, top in rows:
        statistics = ColumnStatistics(
            nulls=nulls,
            distinct=distinct,
            minimum=minimum,
            maximum=maximum,
            lacks=unsupported,
            top=parse_top_values(top),
        )
        counted[task.columns[number].name] = int(all_rows), statistics
    return counted


def parse_top_values(document: str | None) -> tuple[TopValue, ...] | None:
    """Parse the top values of a summary. Django makes psycopg return JSON as text."""
    return None if document is None else tuple(TopValue(value=value, count=n) for value, n in json.loads(document))


def _combined_statement(task: CountTask) -> sql.Composed:
    columns = [sql.Identifier("v", column.name) for column in task.columns]
    names = [sql.Identifier(f"c{number}") for number in range(len(columns))]
    named = [sql.SQL("{} AS {}").format(column, name) for column, name in zip(columns, names, strict=True)]
    summaries = [
        _summary(
            compose("combined_column_groups", column=names[number]),
            column,
            max_top_values=task.limit(column),
            number=number,
            bounds=_first_and_last(column),  # of so few groups, as fast as min() and max()
        )
        for number, column in enumerate(task.columns)
    ]
    return compose(
        "combined_columns",
        columns=sql.SQL(", ").join(columns),
        named_columns=sql.SQL(", ").join(named),
        view=view_statements.view_identifier(task.view),
        summaries=sql.SQL("\nUNION ALL\n").join(summaries),
    )


def _single_column_statements(task: CountTask) -> Statements:
    """Yield statements for one column, the most complete and fastest first."""
    [column] = task.columns
    parts = {"column": sql.Identifier(column.name), "view": view_statements.view_identifier(task.view)}
    is_sorted = task.has_many_values and column.is_by_value and column.has_minimum
    groups = compose("sorted_column_groups" if is_sorted else "single_column_groups", **parts)
    yield from summary_statements(groups, column, max_top_values=task.limit(column))
    yield "equality", compose("summary_without_equality", number=sql.Literal(0), **parts)


def summary_statements(groups: sql.Composable, column: CountedColumn, *, max_top_values: int) -> Statements:
    """Yield statements that summarize groups of equal values."""
    bounds = _min_and_max(column) if column.has_minimum else _first_and_last(column)
    yield None, _summary(groups, column, max_top_values=max_top_values, bounds=bounds)
    # Ordering by text takes as long as the grouping, so only values without an order are ordered by text.
    no_bounds, by_text = [sql.SQL("NULL::text")] * 2, sql.SQL('value::text COLLATE "C"')
    yield "order", _summary(groups, column, max_top_values=max_top_values, bounds=no_bounds, order=by_text)


def _summary(  # noqa: PLR0913  # the parts of one statement
    groups: sql.Composable,
    column: CountedColumn,
    *,
    max_top_values: int,
    bounds: Sequence[sql.Composable],
    number: int = 0,
    order: sql.Composable = _VALUE,
) -> sql.Composed:
    minimum, maximum = bounds
    as_text, limit = _as_text(_VALUE, column), sql.Literal(max_top_values)
    top = (
        compose("most_frequent_values", value_text=as_text, order=order, max_values=limit)
        if max_top_values
        else sql.SQL("NULL::jsonb")
    )
    return compose(
        "column_summary", groups=groups, number=sql.Literal(number), minimum=minimum, maximum=maximum, top_values=top
    )


def _min_and_max(column: CountedColumn) -> Sequence[sql.Composable]:
    """Return the fastest bounds: for 300,000 different texts, a third less time than `_first_and_last`."""
    return [_as_text(sql.SQL(f"{function}(value)"), column) for function in ("min", "max")]


def _first_and_last(column: CountedColumn) -> Sequence[sql.Composable]:
    as_text = _as_text(_VALUE, column)
    return [compose("extreme_value", value_text=as_text, direction=sql.SQL(order)) for order in ("ASC", "DESC")]


def _as_text(value: sql.Composable, column: CountedColumn) -> sql.Composed:
    expression = _TEXT_EXPRESSIONS.get(column.base_type, _PRINTED)
    return compose("value_as_text", text=expression.format(value=value))


def compose(statement: str, /, **parts: sql.Composable) -> sql.Composed:
    """Fill the braces of a named statement or fragment."""
    return sql.SQL(STATEMENTS[statement].rstrip(";")).format(**parts)

"""What a view holds, counted or estimated by the server; no row of it leaves there.

Equal values are grouped once for each column, which gives nulls, distinct values, range and top values together, by
hashing; `count(DISTINCT …)` would sort. Columns of which the server believes that they have few values share a scan.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import Error
from psycopg import sql

from seeder.domain.snapshots.snapshot_contents import ColumnStatistics, TopValue, ViewColumn
from seeder.domain.view_names import ViewName
from seeder.postgres import identifiers, sessions, transactions
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sqlstates import sqlstate

# A type lacks a function or an operator, or there are several to choose from and none fits best.
_UNSUPPORTED_SQLSTATES = {"42883", "42725"}

_VALUE = sql.SQL("value")

_NORMALIZING_STATEMENTS = {"numeric": "trimmed_scale", "real": "unsigned_zero", "double precision": "unsigned_zero"}

CountedColumns = Mapping[str, tuple[int, ColumnStatistics]]  # for each column how many rows there are, and its figures


@dataclass(frozen=True, kw_only=True, slots=True)
class CountTask:
    """Columns to be counted by one statement."""

    view: ViewName
    columns: tuple[ViewColumn, ...]
    top_columns: frozenset[str]  # of which the most frequent values are asked for
    max_top_values: int  # of them


def count_columns(database: str, task: CountTask) -> CountedColumns:
    """Count what the task asks for, in the caller's transaction, as far as the columns' types allow.

    What a type has is found out by asking for it, since a domain, an array or a composite has what its parts have.
    """
    if len(task.columns) > 1:
        rows = query_if_supported(database, _combined_statement(task))
        if rows is None:
            single_column_tasks = [replace(task, columns=(column,)) for column in task.columns]
            return {
                name: column_count
                for single in single_column_tasks
                for name, column_count in count_columns(database, single).items()
            }
        return _parse_summaries(task, rows)
    for unsupported, statement in _single_column_statements(task):
        rows = query_if_supported(database, statement)
        if rows is not None:
            return _parse_summaries(task, rows, unsupported=unsupported)
    raise AssertionError  # pragma: no cover  # every type can be counted


def count_rows(database: str, view: ViewName) -> int:
    """How many there are, of a view that may have no columns."""
    [(row_count,)] = sessions.query_composed(
        database, sql.SQL("SELECT count(*) FROM {}").format(identifiers.view_identifier(view))
    )
    return int(row_count)


def query_if_supported(database: str, statement: sql.Composed) -> sessions.Rows | None:
    """The rows of a statement; None where a type lacks what it asks for."""
    try:
        with transactions.savepoint(database):
            return sessions.query_composed(database, statement)
    except Error as error:
        if sqlstate(error) not in _UNSUPPORTED_SQLSTATES:
            raise
        return None


def _parse_summaries(task: CountTask, rows: sessions.Rows, *, unsupported: str | None = None) -> CountedColumns:
    counted = {}
    for number, all_rows, nulls, distinct, minimum, maximum, top in rows:
        name = task.columns[number].name
        figures = ColumnStatistics(
            nulls=nulls,
            distinct=distinct,
            minimum=minimum,
            maximum=maximum,
            lacks=unsupported,
            top=parse_top_values(top),
        )
        counted[name] = (int(all_rows), figures)
    return counted


def parse_top_values(document: str | None) -> tuple[TopValue, ...] | None:
    """The most frequent values out of a row of a summary. Django has psycopg leave JSON as it is."""
    return None if document is None else tuple(TopValue(value=value, count=n) for value, n in json.loads(document))


def _combined_statement(task: CountTask) -> sql.Composed:
    columns = [sql.Identifier("v", column.name) for column in task.columns]
    names = [sql.Identifier(f"c{number}") for number in range(len(columns))]
    named = [sql.SQL("{} AS {}").format(column, name) for column, name in zip(columns, names, strict=True)]
    summary_parts = [
        _summary(
            compose("combined_column_groups", column=names[number]),
            column.type,
            max_top_values=task.max_top_values if column.name in task.top_columns else 0,
            number=number,
            bounds=_first_and_last(column.type),  # more types have an order than have min(), boolean among them
        )
        for number, column in enumerate(task.columns)
    ]
    return compose(
        "combined_columns",
        columns=sql.SQL(", ").join(columns),
        named_columns=sql.SQL(", ").join(named),
        view=identifiers.view_identifier(task.view),
        summaries=sql.SQL("\nUNION ALL\n").join(summary_parts),
    )


def _single_column_statements(task: CountTask) -> Iterator[tuple[str | None, sql.Composed]]:
    """What can be asked of a column, the most and the fastest first, with what its type lacks where that works only."""
    [column] = task.columns
    parts = {"column": sql.Identifier(column.name), "view": identifiers.view_identifier(task.view)}
    yield from summary_statements(
        compose("single_column_groups", **parts),
        column.type,
        max_top_values=task.max_top_values if column.name in task.top_columns else 0,
    )
    yield "equality", compose("summary_without_equality", number=sql.Literal(0), **parts)


def summary_statements(
    groups: sql.Composable, column_type: str, *, max_top_values: int
) -> Iterator[tuple[str | None, sql.Composed]]:
    """What can be asked of groups of equal values of a type, as `_of_one`; `most`: so many most frequent ones."""
    if not column_type.startswith("reg"):  # these have the min() of oid, which is a number and no name
        bounds = [_as_text(sql.SQL("{}(value)").format(sql.SQL(name)), column_type) for name in ("min", "max")]
        yield None, _summary(groups, column_type, max_top_values=max_top_values, bounds=bounds)
    yield None, _summary(groups, column_type, max_top_values=max_top_values, bounds=_first_and_last(column_type))
    # Texts of all values would take as long as grouping them, so that they order none but what has no order itself.
    no_bounds, by_text = [sql.SQL("NULL::text")] * 2, sql.SQL('value::text COLLATE "C"')
    yield "order", _summary(groups, column_type, max_top_values=max_top_values, bounds=no_bounds, order=by_text)


def _summary(  # noqa: PLR0913  # the parts of one statement
    groups: sql.Composable,
    column_type: str,
    *,
    max_top_values: int,
    bounds: Sequence[sql.Composable],
    number: int = 0,
    order: sql.Composable = _VALUE,
) -> sql.Composed:
    minimum, maximum = bounds
    as_text, limit = _as_text(_VALUE, column_type), sql.Literal(max_top_values)
    top = (
        compose("most_frequent_values", value_text=as_text, order=order, max_values=limit)
        if max_top_values
        else sql.SQL("NULL::jsonb")
    )
    return compose(
        "column_summary", groups=groups, number=sql.Literal(number), minimum=minimum, maximum=maximum, top_values=top
    )


def _first_and_last(column_type: str) -> Sequence[sql.Composable]:
    return [
        compose("extreme_value", value_text=_as_text(_VALUE, column_type), direction=sql.SQL(direction))
        for direction in ("ASC", "DESC")
    ]


def _as_text(value: sql.Composable, column_type: str) -> sql.Composed:
    """Of equal numbers that are printed differently, as 1.0 and 1.00 or -0 and 0, always one."""
    return compose(
        "value_as_text",
        value=compose(_NORMALIZING_STATEMENTS[column_type], value=value)
        if column_type in _NORMALIZING_STATEMENTS
        else value,
    )


def compose(statement: str, /, **parts: sql.Composable) -> sql.Composed:
    """A named statement, or a part of one, with what is in its braces."""
    return sql.SQL(STATEMENTS[statement].rstrip(";")).format(**parts)

"""What a view holds, counted or estimated by the server; no row of it leaves there.

Equal values are grouped once for each column, which gives nulls, distinct values, range and top values together, by
hashing; `count(DISTINCT …)` would sort. Columns of which the server believes that they have few values share a scan.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import Error
from psycopg import sql

from seeder.domain.names import ViewName
from seeder.domain.shapes import ViewColumn
from seeder.domain.snapshots import ColumnStatistics, TopValue
from seeder.postgres import identifiers, sessions, transactions
from seeder.postgres.sqlstates import sqlstate
from seeder.postgres.statements import NAMED

# A type lacks a function or an operator, or there are several to choose from and none fits best.
_LACKING = {"42883", "42725"}

_VALUE = sql.SQL("value")

_ONE_OF_EQUALS = {"numeric": "trimmed", "real": "unsigned_zero", "double precision": "unsigned_zero"}

Counted = Mapping[str, tuple[int, ColumnStatistics]]  # for each column how many rows there are, and its figures


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """Columns to be counted by one statement."""

    view: ViewName
    columns: tuple[ViewColumn, ...]
    top: frozenset[str]  # of which the most frequent values are asked for
    most: int  # of them


def count(database: str, task: Task) -> Counted:
    """Count what the task asks for, in the caller's transaction, as far as the columns' types allow.

    What a type has is found out by asking for it, since a domain, an array or a composite has what its parts have.
    """
    if len(task.columns) > 1:
        rows = unless_lacking(database, _of_several(task))
        if rows is None:
            each = [replace(task, columns=(column,)) for column in task.columns]
            return {name: found for one in each for name, found in count(database, one).items()}
        return _counted(task, rows)
    for lacks, statement in _of_one(task):
        rows = unless_lacking(database, statement)
        if rows is not None:
            return _counted(task, rows, lacks=lacks)
    raise AssertionError  # pragma: no cover  # every type can be counted


def rows(database: str, view: ViewName) -> int:
    """How many there are, of a view that may have no columns."""
    [(number,)] = sessions.query_composed(
        database, sql.SQL("SELECT count(*) FROM {}").format(identifiers.identifier(view))
    )
    return int(number)


def unless_lacking(database: str, statement: sql.Composed) -> sessions.Rows | None:
    """The rows of a statement; None where a type lacks what it asks for."""
    try:
        with transactions.savepoint(database):
            return sessions.query_composed(database, statement)
    except Error as error:
        if sqlstate(error) not in _LACKING:
            raise
        return None


def _counted(task: Task, rows: sessions.Rows, *, lacks: str | None = None) -> Counted:
    counted = {}
    for number, all_rows, nulls, distinct, least, greatest, top in rows:
        name = task.columns[number].name
        figures = ColumnStatistics(
            nulls=nulls, distinct=distinct, minimum=least, maximum=greatest, lacks=lacks, top=tops(top)
        )
        counted[name] = (int(all_rows), figures)
    return counted


def tops(document: str | None) -> tuple[TopValue, ...] | None:
    """The most frequent values out of a row of a summary. Django has psycopg leave JSON as it is."""
    return None if document is None else tuple(TopValue(value=value, count=n) for value, n in json.loads(document))


def _of_several(task: Task) -> sql.Composed:
    columns = [sql.Identifier("v", column.name) for column in task.columns]
    names = [sql.Identifier(f"c{number}") for number in range(len(columns))]
    named = [sql.SQL("{} AS {}").format(column, name) for column, name in zip(columns, names, strict=True)]
    found = [
        _summary(
            fill("groups_of_several", column=names[number]),
            column.type,
            most=task.most if column.name in task.top else 0,
            number=number,
            ends=_extremes(column.type),  # more types have an order than have min(), boolean among them
        )
        for number, column in enumerate(task.columns)
    ]
    return fill(
        "together",
        columns=sql.SQL(", ").join(columns),
        named=sql.SQL(", ").join(named),
        view=identifiers.identifier(task.view),
        summaries=sql.SQL("\nUNION ALL\n").join(found),
    )


def _of_one(task: Task) -> Iterator[tuple[str | None, sql.Composed]]:
    """What can be asked of a column, the most and the fastest first, with what its type lacks where that works only."""
    [column] = task.columns
    of = {"column": sql.Identifier(column.name), "view": identifiers.identifier(task.view)}
    yield from summaries(fill("groups_of_one", **of), column.type, most=task.most if column.name in task.top else 0)
    yield "equality", fill("without_equality", number=sql.Literal(0), **of)


def summaries(groups: sql.Composable, kind: str, *, most: int) -> Iterator[tuple[str | None, sql.Composed]]:
    """What can be asked of groups of equal values of a type, as `_of_one`; `most`: so many most frequent ones."""
    if not kind.startswith("reg"):  # these have the min() of oid, which is a number and no name
        ends = [_shown(sql.SQL("{}(value)").format(sql.SQL(name)), kind) for name in ("min", "max")]
        yield None, _summary(groups, kind, most=most, ends=ends)
    yield None, _summary(groups, kind, most=most, ends=_extremes(kind))
    # Texts of all values would take as long as grouping them, so that they order none but what has no order itself.
    nothing, by_text = [sql.SQL("NULL::text")] * 2, sql.SQL('value::text COLLATE "C"')
    yield "order", _summary(groups, kind, most=most, ends=nothing, order=by_text)


def _summary(  # noqa: PLR0913  # the parts of one statement
    groups: sql.Composable,
    kind: str,
    *,
    most: int,
    ends: Sequence[sql.Composable],
    number: int = 0,
    order: sql.Composable = _VALUE,
) -> sql.Composed:
    least, greatest = ends
    shown, limit = _shown(_VALUE, kind), sql.Literal(most)
    top = fill("top", shown=shown, order=order, most=limit) if most else sql.SQL("NULL::jsonb")
    return fill("summary", groups=groups, number=sql.Literal(number), least=least, greatest=greatest, top=top)


def _extremes(kind: str) -> Sequence[sql.Composable]:
    return [fill("extreme", shown=_shown(_VALUE, kind), way=sql.SQL(way)) for way in ("ASC", "DESC")]


def _shown(value: sql.Composable, kind: str) -> sql.Composed:
    """Of equal numbers that are printed differently, as 1.0 and 1.00 or -0 and 0, always one."""
    return fill("shown", value=fill(_ONE_OF_EQUALS[kind], value=value) if kind in _ONE_OF_EQUALS else value)


def fill(statement: str, /, **parts: sql.Composable) -> sql.Composed:
    """A named statement, or a part of one, with what is in its braces."""
    return sql.SQL(NAMED[statement].rstrip(";")).format(**parts)

"""Reads the rows of a statistic, with composed identifiers and bound values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import Error
from psycopg import sql
from psycopg.rows import class_row

from data_pipeline.domain.stats_queries import StatsColumn, StatsQuery
from data_pipeline.postgres.statements import STATEMENTS
from seeder.domain.view_names import DEFAULT_SCHEMA, ViewName
from seeder.postgres import sessions, transactions
from seeder.postgres.named_statements import STATEMENTS as SEEDER_STATEMENTS
from seeder.postgres.sqlstates import sqlstate

# A value that its type refuses: a data exception, such as an invalid text or a number out of range.
_DATA_EXCEPTION_CLASS = "22"
_UNDEFINED = {"42703", "42883"}  # a column; an operator, if the column has another type now


@dataclass(frozen=True, kw_only=True, slots=True)
class StatsRelation:
    """A table or a view, as the catalog describes it."""

    schema: str
    name: str
    oid: int
    kind: str  # relkind
    is_populated: bool
    version: str  # of a materialized view: differs after each refresh
    is_current: bool  # its rows are those of this transaction's snapshot

    @property
    def view(self) -> ViewName:
        return ViewName(schema=self.schema, name=self.name)

    @property
    def is_materialized(self) -> bool:
        return self.kind == "m"


def find_relation(database: str, name: str) -> StatsRelation | None:
    """Return a relation. A name without a schema is in `reporting`, otherwise in the search path."""
    parsed = ViewName.parse(name, default_schema="")
    if parsed.schema:
        names = [str(parsed)]
    else:
        names = [str(ViewName(schema=DEFAULT_SCHEMA, name=parsed.name)), str(parsed).removeprefix('"".')]
    found = sessions.query(
        database, STATEMENTS["stats_relation"], {"names": names}, row_factory=class_row(StatsRelation)
    )
    return found[0] if found else None


def columns(database: str, relation: StatsRelation) -> Sequence[StatsColumn]:
    """Return the columns of a relation, in order."""
    rows = sessions.query(
        database, STATEMENTS["stats_columns"], {"oid": relation.oid}, row_factory=class_row(StatsColumn)
    )
    return tuple(rows)


def set_time_limit(database: str, limit: timedelta) -> None:
    """Limit each statement of this transaction, and its wait for locks."""
    sessions.query(database, SEEDER_STATEMENTS["set_time_limit"], {"timeout": round(limit.total_seconds() * 1000)})


def lock_rows(database: str, relation: StatsRelation) -> bool:
    """Keep the rows of a view until the end of the transaction. Return whether they are those of its snapshot.

    A refresh that is not concurrent waits for the lock. One that ended while this waited has replaced the rows.
    """
    sessions.query(database, sql.SQL("SELECT FROM {} LIMIT 0").format(_identifier(relation)))
    current = find_relation(database, str(relation.view))
    return current is not None and current.oid == relation.oid and current.is_current


def read_rows(
    database: str, relation: StatsRelation, known: Sequence[StatsColumn], query: StatsQuery
) -> Sequence[Sequence[Any]]:
    """Return rows with values of JSON: those of a date column from the latest on, then by the other columns."""
    statement = sql.SQL("SELECT {} FROM {} AS v WHERE {} {} LIMIT {} OFFSET {}").format(
        _selected(known),
        _identifier(relation),
        _conditions(known, query),
        _order(known, query.date_column),
        sql.Literal(query.limit),
        sql.Literal(query.offset),
    )
    return sessions.query(database, statement)


def read_scores(
    database: str, relation: StatsRelation, known: Sequence[StatsColumn], query: StatsQuery, *, by: StatsColumn
) -> Sequence[Sequence[Any]]:
    """Return the rows of each id, in the order of the ids.

    The ids are the filter of the column `by`. Each row begins with the position of its id, from 0, and whether the view
    has it.
    """
    filters = dict(query.filters)
    ids = filters.pop(by.name)
    statement = sql.SQL(
        "SELECT w.number::integer - 1, v.{id} IS NOT NULL, {selected}"
        " FROM unnest({ids}) WITH ORDINALITY AS w (id, number)"
        " LEFT JOIN {view} AS v ON v.{id} {equality} w.id AND {conditions}"
        " ORDER BY w.number, {keys} LIMIT {limit}"
    ).format(
        id=sql.Identifier(by.name),
        selected=_selected(known),
        ids=_values(by, ids),
        view=_identifier(relation),
        equality=sql.SQL(by.equality or "="),
        conditions=_all_of(_filter_conditions(known, filters)),
        keys=sql.SQL(", ").join(_keys(known, None)),
        limit=sql.Literal(query.limit),
    )
    return sessions.query(database, statement)


def is_refused_value(error: Error) -> bool:
    """Return whether PostgreSQL may have refused the value of a filter."""
    return (sqlstate(error) or "").startswith(_DATA_EXCEPTION_CLASS)


def is_undefined_column(error: Error) -> bool:
    """Return whether a column no longer exists with its type."""
    return sqlstate(error) in _UNDEFINED


def refused_filter(
    database: str, known: Sequence[StatsColumn], filters: Mapping[str, Sequence[str]]
) -> StatsColumn | None:
    """Return the first column whose type refuses a value of its filter."""
    for column in known:
        if column.name in filters:
            statement = sql.SQL("SELECT {}").format(_values(column, filters[column.name]))
            tried = transactions.attempt(database, partial(sessions.query, database, statement))
            if isinstance(tried, Error):
                return column
    return None


def _identifier(relation: StatsRelation) -> sql.Identifier:
    return sql.Identifier(relation.schema, relation.name)


def _selected(known: Iterable[StatsColumn]) -> sql.Composed:
    return sql.SQL(", ").join(map(_json_value, known))


def _json_value(column: StatsColumn) -> sql.Composable:
    """Return a column as JSON has it: times in ISO 8601, and all that JSON does not have as PostgreSQL's text."""
    value = sql.Identifier("v", column.name)
    if column.is_json:
        return value
    if column.is_date:
        return sql.SQL("to_json({}) #>> '{{}}'").format(value)
    return sql.SQL("CAST({} AS text)").format(value)


def _conditions(known: Sequence[StatsColumn], query: StatsQuery) -> sql.Composable:
    conditions = _filter_conditions(known, query.filters)
    if query.date_column is not None and query.period is not None:
        column = sql.Identifier("v", query.date_column)
        conditions += [
            sql.SQL("{} >= {}::date").format(column, sql.Literal(query.period.first)),
            sql.SQL("{} < {}::date + 1").format(column, sql.Literal(query.period.last)),
        ]
    return _all_of(conditions)


def _filter_conditions(known: Sequence[StatsColumn], filters: Mapping[str, Sequence[str]]) -> list[sql.Composable]:
    return [
        sql.SQL("{} {} ANY ({})").format(
            sql.Identifier("v", column.name), sql.SQL(column.equality or "="), _values(column, filters[column.name])
        )
        for column in known
        if column.name in filters
    ]


def _all_of(conditions: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("true")


def _values(column: StatsColumn, values: Sequence[str]) -> sql.Composed:
    """Return texts as an array of the column's type."""
    return sql.SQL("CAST({}::text[] AS {}[])").format(sql.Literal(list(values)), sql.SQL(column.value_type))


def _order(known: Sequence[StatsColumn], date_column: str | None) -> sql.Composable:
    keys = _keys(known, date_column)
    return sql.SQL("ORDER BY {}").format(sql.SQL(", ").join(keys)) if keys else sql.SQL("")


def _keys(known: Sequence[StatsColumn], date_column: str | None) -> Sequence[sql.Composable]:
    names = [one.name for one in known if one.equality is not None and one.name != date_column]
    dates = [sql.SQL("{} DESC").format(sql.Identifier("v", date_column))] if date_column else []
    return [*dates, *(sql.Identifier("v", name) for name in names)]

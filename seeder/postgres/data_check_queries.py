"""Statements of data checks, and the read-only part of a transaction in which they run.

Expressions and queries of checks are untrusted SQL, so each statement is run by a protocol that accepts exactly one.
They end before a line end, because they can end in a comment.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Self

from django.db import Error
from psycopg import sql

from seeder.domain.data_checks.rules import AcceptedValues, Condition, Freshness, NotNull, Range, RowRule
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, view_statements
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sessions import Row, Rows

_MAX_SAMPLE_CHARACTERS = 2000
_END_OF_STATEMENT = re.compile(r"[\s;]*\Z")


class ReadOnlyPart:
    """A part of a transaction that reads, with a time limit for each statement. Its end undoes all it did.

    An error of a statement leaves the transaction, and the part, as before the statement.
    """

    def __init__(self, database: str, *, timeout_ms: int) -> None:
        self._database, self._parameters = database, {"timeout": timeout_ms}

    def __enter__(self) -> Self:
        statements = STATEMENTS["begin_data_checks"], STATEMENTS["limit_data_checks"]
        sessions.query_batch(self._database, statements, self._parameters)
        return self

    def query(self, statement: sql.Composed) -> Rows:
        """Run a statement that can contain untrusted SQL. Return its rows."""
        try:
            return sessions.query_single_statement(self._database, statement)
        except Error:
            with suppress(Error):  # the first error is the cause
                undo = STATEMENTS["undo_data_check"], STATEMENTS["limit_data_checks"]
                sessions.query_batch(self._database, undo, self._parameters)
            raise

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            sessions.query(self._database, STATEMENTS["end_data_checks"])
        except Error:
            if kind is None:
                raise


Expression = sql.Composed
Source = sql.Composable  # of the checked rows: a view, or a query in parentheses


def bad_row_condition(rule: RowRule) -> Expression:
    """Return the condition under which a row is bad."""
    if isinstance(rule, Condition):
        return sql.SQL("NOT (\n{}\n)").format(sql.SQL(rule.expression))
    column = sql.Identifier(rule.column)
    match rule:
        case NotNull():
            return sql.SQL("{} IS NULL").format(column)
        case AcceptedValues(values=values):
            return sql.SQL("{} NOT IN ({})").format(column, sql.SQL(", ").join(map(sql.Literal, values)))
        case Range(minimum=minimum, maximum=maximum):
            bounds = ((sql.SQL(" < "), minimum), (sql.SQL(" > "), maximum))
            conditions = [column + operator + sql.Literal(bound) for operator, bound in bounds if bound is not None]
            return sql.SQL(" OR ").join(conditions)


def scan_column(rule: RowRule | Freshness) -> Expression:
    """Return the column of a scan that has a rule's figure: bad rows, or the latest value and its age in seconds."""
    if not isinstance(rule, Freshness):
        return sql.SQL("count(*) FILTER (WHERE {})").format(bad_row_condition(rule))
    latest = sql.SQL("max({})").format(sql.Identifier(rule.column))
    return sql.SQL("ARRAY[{latest}::text, extract(epoch FROM now() - {latest})::float8::text]").format(latest=latest)


def count_values(columns: Iterable[str]) -> Expression:
    """Return the column of a scan that has the numbers of values, without nulls, of columns."""
    counts = sql.SQL(", ").join(sql.SQL("count({})").format(sql.Identifier("checked", name)) for name in columns)
    return sql.SQL("ARRAY[{}]::bigint[]").format(counts)


def scan_statement(source: Source, columns: Iterable[sql.Composable]) -> sql.Composed:
    """Return a statement that computes the number of rows and all columns in one scan."""
    selected = sql.SQL(", ").join([sql.SQL("count(*)"), *columns])
    return sql.SQL("SELECT {} FROM {} AS checked").format(selected, source)


def samples_statement(source: Source, bad: Expression, *, count: int) -> sql.Composed:
    """Return a statement that selects bad rows as JSON."""
    return sql.SQL("SELECT left(to_jsonb(checked.*)::text, {}) FROM {} AS checked WHERE {} LIMIT {}").format(
        _MAX_SAMPLE_CHARACTERS, source, bad, count
    )


def repeated_statement(source: Source, columns: Sequence[str], *, samples: int) -> sql.Composed:
    """Return a statement that counts rows that repeat another row's values, with samples of those values."""
    names = [sql.Identifier(name) for name in columns]
    statement = sql.SQL(
        "WITH repeated AS MATERIALIZED (SELECT {columns}, count(*) AS {number} FROM {source} AS checked WHERE {filled}"
        " GROUP BY {columns} HAVING count(*) > 1)"
        " SELECT (SELECT coalesce(sum({number} - 1), 0)::bigint FROM repeated),"
        " ARRAY(SELECT left(to_jsonb(repeated.*)::text, {length}) FROM repeated LIMIT {samples})"
    )
    return statement.format(
        columns=sql.SQL(", ").join(names),
        number=sql.Identifier("rows with these values"),  # hardly the name of a column
        source=source,
        filled=sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(name) for name in names),
        length=_MAX_SAMPLE_CHARACTERS,
        samples=samples,
    )


def query_statement(query: str, *, samples: int) -> sql.Composed:
    """Return a statement that counts the rows of a query, with samples."""
    statement = sql.SQL(
        "WITH bad AS MATERIALIZED (SELECT found.* FROM (\n{query}\n) AS found) SELECT (SELECT count(*) FROM bad),"
        " ARRAY(SELECT left(to_jsonb(bad.*)::text, {length}) FROM bad LIMIT {samples})"
    )
    bare_query = sql.SQL(_END_OF_STATEMENT.sub("", query))
    return statement.format(query=bare_query, length=_MAX_SAMPLE_CHARACTERS, samples=samples)


def view_source(view: ViewName) -> Source:
    """Return a view as the source of a statement."""
    return view_statements.view_identifier(view)


def query_source(database: str, view: ViewName) -> Source:
    """Return the query of a view as the source of a statement."""
    [(query,)] = sessions.query(database, STATEMENTS["view_query"], asdict(view))
    return sql.SQL("(\n{}\n)").format(sql.SQL(_END_OF_STATEMENT.sub("", query)))


def unreadable_relations(database: str, oids: Collection[int]) -> Mapping[int, ViewName]:
    """Return those of the relations that this role may not read by their names, by OID and ordered by name."""
    rows = sessions.query(database, STATEMENTS["unreadable_relations"], {"oids": list(oids)})
    return {oid: ViewName(schema=schema, name=name) for oid, schema, name in rows}


def unique_columns(database: str, view: ViewName) -> Collection[frozenset[str]]:
    """Return the sets of columns that are unique by an index."""
    rows: Sequence[Row] = sessions.query(database, STATEMENTS["unique_columns"], asdict(view))
    return [frozenset(names) for (names,) in rows]


def age_hours(latest_and_age: Sequence[str | None]) -> tuple[str | None, float | None]:
    """Return the latest value and its age in hours from a scan's column. None without a finite age."""
    latest, age = latest_and_age
    seconds: Any = None if age is None else float(age)
    return latest, seconds / 3600 if seconds is not None and abs(seconds) != float("inf") else None

"""Finds the rows that violate a constraint of the target, by sets."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import Error
from psycopg import sql

from data_pipeline.domain.rejects import Problem
from data_pipeline.postgres.refusals import diagnostics
from data_pipeline.postgres.statements import STATEMENTS
from data_pipeline.postgres.target_tables import TargetTable
from seeder.postgres import sessions, transactions

UNIQUE_VIOLATION, FOREIGN_KEY_VIOLATION, CHECK_VIOLATION = "23505", "23503", "23514"


@dataclass(frozen=True, kw_only=True, slots=True)
class RowSource:
    """Rows to load: a relation or subquery with `record_no` and columns of the target's names and types."""

    relation: sql.Composable
    columns: Sequence[str]


def find_violators(database: str, target: TargetTable, source: RowSource, error: Error) -> dict[int, Problem]:
    """Return the rows that violate the constraint of an error, by record number.

    Nothing is returned if the rows cannot be found by sets: for exclusion constraints, triggers, row security, indexes
    on expressions, and columns that the file does not fill.
    """
    facts = diagnostics(error)
    if facts.constraint_name is None or facts.sqlstate is None:
        return {}
    statement = _violators(database, target, source, facts.constraint_name, facts.sqlstate)
    if statement is None:
        return {}
    rows = transactions.attempt(database, lambda: sessions.query(database, statement))
    if isinstance(rows, Error):  # such as a check that reads a column that the file does not fill
        return {}
    reason = facts.message_primary or str(error)
    return {
        number: Problem(column=column, sqlstate=facts.sqlstate, reason=f"{reason}: {detail}" if detail else reason)
        for number, column, detail in rows
    }


def _violators(
    database: str, target: TargetTable, source: RowSource, constraint: str, state: str
) -> sql.Composed | None:
    """Return a query of the record number, the column and the detail of each violating row, or None."""
    parameters = {"oid": target.oid, "constraint": constraint}
    if state == CHECK_VIOLATION:
        expressions = sessions.query(database, STATEMENTS["check_expression"], parameters)
        return _failing_check(source, expressions[0][0]) if expressions else None
    known = sessions.query(database, STATEMENTS["constraint_columns"], parameters)
    if not known or not set(known[0][1]) <= set(source.columns):
        return None
    _, columns, other_table, other_columns, nulls_not_distinct = known[0]
    if state == FOREIGN_KEY_VIOLATION:
        return _without_parent(source, columns, other_table, other_columns)
    if state == UNIQUE_VIOLATION:
        return duplicates(source, columns, target=target, nulls_not_distinct=nulls_not_distinct)
    return None


def duplicates(
    source: RowSource, columns: Sequence[str], *, target: TargetTable | None, nulls_not_distinct: bool = False
) -> sql.Composed:
    """Return a query of the rows whose key is that of an earlier row, or of a row of the target if it is given."""
    is_equal = "IS NOT DISTINCT FROM" if nulls_not_distinct else "="
    in_table: sql.Composable = sql.SQL("false")
    if target is not None:
        in_table = sql.SQL("EXISTS (SELECT FROM {target} AS t WHERE {same})").format(
            target=target.identifier, same=_pairs("t", "s", columns, is_equal)
        )
    return sql.SQL(
        "SELECT s.record_no, {column}, format('Key (%s)=(%s) is ' || CASE WHEN s.is_in_table"
        " THEN 'in the table already' ELSE 'in record ' || s.first_no || ' already' END, {names}, {values})"
        " FROM (SELECT s.*, {in_table} AS is_in_table,"
        "   min(s.record_no) OVER (PARTITION BY {key}) AS first_no FROM {source} AS s) AS s"
        " WHERE (s.is_in_table OR s.first_no < s.record_no){not_null}"
    ).format(
        column=sql.Literal(columns[0] if len(columns) == 1 else None),
        names=sql.Literal(", ".join(columns)),
        values=sql.SQL("concat_ws(', ', {})").format(_list("s", columns)),
        in_table=in_table,
        key=_list("s", columns),
        source=source.relation,
        not_null=sql.SQL("") if nulls_not_distinct else sql.SQL(" AND ({}) IS NOT NULL").format(_row("s", columns)),
    )


def _without_parent(
    source: RowSource, columns: Sequence[str], other_table: str, other_columns: Sequence[str]
) -> sql.Composed:
    same = sql.SQL(" AND ").join(
        sql.SQL("p.{} = s.{}").format(sql.Identifier(other), sql.Identifier(own))
        for own, other in zip(columns, other_columns, strict=True)
    )
    return sql.SQL(
        "SELECT s.record_no, {column}, format('Key (%s)=(%s) is not in the table %s', {names}, {values}, {table})"
        " FROM {source} AS s WHERE ({row}) IS NOT NULL AND NOT EXISTS (SELECT FROM {parent} AS p WHERE {same})"
    ).format(
        column=sql.Literal(columns[0] if len(columns) == 1 else None),
        names=sql.Literal(", ".join(columns)),
        values=sql.SQL("concat_ws(', ', {})").format(_list("s", columns)),
        table=sql.Literal(other_table),
        source=source.relation,
        row=_row("s", columns),
        parent=sql.SQL(other_table),  # regclass quotes the name
        same=same,
    )


def _failing_check(source: RowSource, expression: str) -> sql.Composed:
    return sql.Composed(
        [
            sql.SQL("SELECT record_no, NULL::text, NULL::text FROM "),
            source.relation,
            sql.SQL(" AS s WHERE NOT ("),
            sql.SQL(expression),
            sql.SQL(")"),
        ]
    )


def _list(alias: str, columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(alias, column) for column in columns)


def _row(alias: str, columns: Sequence[str]) -> sql.Composed:
    return sql.SQL("ROW({})").format(_list(alias, columns))


def _pairs(one: str, other: str, columns: Sequence[str], operator: str) -> sql.Composed:
    return sql.SQL(" AND ").join(
        sql.SQL("{} " + operator + " {}").format(sql.Identifier(one, column), sql.Identifier(other, column))
        for column in columns
    )

"""Costs of refreshes by pg_stat_statements and, since PostgreSQL 18, by the counters of each backend."""

from collections.abc import Mapping, Sequence
from typing import cast

from django.db import DEFAULT_DB_ALIAS, Error, connections
from psycopg import sql
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from seeder.domain.refresh_costs import BackendCost, StatementCost, add_statement_costs
from seeder.domain.refresh_statement_parser import parse_refresh
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, transactions
from seeder.postgres.named_statements import STATEMENTS

StatementCosts = Mapping[tuple[ViewName, bool], StatementCost]

_MIN_VERSION_BACKEND_COSTS = 180000  # pg_stat_get_backend_io() and pg_stat_get_backend_wal()


def statement_costs(database: str, source: sql.Composed) -> StatementCosts | None:
    """Return what this role's refreshes in this database have cost so far, by view and whether concurrently.

    None if `source`, the result of `find_cost_source`, is not readable any more. A statement counts as soon as it has
    succeeded, before its transaction ends. PostgreSQL can keep several entries for one view, which are added. Takes
    25 ms with 5,000 entries of 0.6 kB text each.
    """
    rows = transactions.attempt(database, lambda: sessions.query(database, source, row_factory=dict_row))
    if isinstance(rows, Error):
        return None
    costs: dict[tuple[ViewName, bool], StatementCost] = {}
    for row in rows:
        if (view_and_mode := parse_refresh(row.pop("query"))) is not None:
            cost = StatementCost(**row)
            costs[view_and_mode] = add_statement_costs(costs[view_and_mode], cost) if view_and_mode in costs else cost
    return costs


def find_cost_source(database: str) -> sql.Composed | None:
    """Return the query that reads pg_stat_statements in its schema and version, or None if it is not readable."""
    statement = STATEMENTS["statement_statistics_schema"]
    extension = transactions.attempt(database, lambda: sessions.query(database, statement))
    if not extension or isinstance(extension, Error):
        return None
    [(schema, has_toplevel)] = extension
    return sql.SQL(STATEMENTS["statement_costs"]).format(
        view=sql.Identifier(schema, "pg_stat_statements"),
        toplevel=sql.Identifier("toplevel") if has_toplevel else sql.SQL("true"),
    )


def backend_costs(database: str, *, flush: bool = True) -> BackendCost | None:
    """Return what the backend of this thread's connection has read and written, or None before PostgreSQL 18.

    Call it between transactions: a backend publishes its counters only when a transaction has ended, and without
    `flush` at most once a second. Inside a transaction the answer is None. Flushing needs a round trip of its own.
    """
    if connections[database].in_atomic_block:
        return None
    try:
        if sessions.driver_connection(database).info.server_version < _MIN_VERSION_BACKEND_COSTS:
            return None
        if flush:  # a `BatchedTransaction` flushes at its commit
            sessions.query(database, STATEMENTS["flush_backend_statistics"])
        [cost] = sessions.query(database, STATEMENTS["backend_costs"], row_factory=class_row(BackendCost))
    except Error:
        return None
    return cast("BackendCost", cost)


def save_costs(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Insert or replace rows of seeder_run_metrics. A column that a row omits becomes null.

    The rows are one JSON value, because the ORM takes ten times as long for 23 columns.
    """
    statement = sql.SQL(STATEMENTS["upsert_run_metrics"]).format(
        rows=sql.Literal(Jsonb(rows)),
        columns=sql.SQL(", ").join([sql.Identifier(column) for column in columns]),
        replaced=sql.SQL(", ").join([sql.Identifier("excluded", column) for column in columns]),
    )
    sessions.query(DEFAULT_DB_ALIAS, statement)

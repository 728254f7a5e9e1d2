"""What refreshes have cost by the server's own count: pg_stat_statements and, from PostgreSQL 18 on, each backend's."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import Error
from psycopg import sql
from psycopg.types.json import Jsonb

from seeder.domain.refresh_costs import BackendCost, StatementCost, add_statement_costs
from seeder.domain.refresh_statement_parser import parse_refresh
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, transactions
from seeder.postgres.named_statements import STATEMENTS

StatementCosts = Mapping[tuple[ViewName, bool], StatementCost]

_MIN_VERSION_BACKEND_COSTS = 180000  # the first server that has pg_stat_get_backend_io() and pg_stat_get_backend_wal()


def statement_costs(database: str, source: sql.Composed | None = None) -> StatementCosts | None:
    """What this role's refreshes in this database have cost so far, by view and whether concurrently, in one look for
    all of them; None where pg_stat_statements is absent, not preloaded, or not for us to read.

    A statement counts as soon as it has succeeded, before its transaction ends. PostgreSQL keeps the text of whoever
    sent it first, in whatever spelling, and may keep several entries for one view: they are summed. Takes 25 ms where
    the server keeps 5,000 entries with 0.6 kB of text each.
    """
    source = source or find_cost_source(database)
    costs = None if source is None else transactions.attempt(database, lambda: _statement_costs(database, source))
    return None if isinstance(costs, Error) else costs


def find_cost_source(database: str) -> sql.Composed | None:
    """Return the query that reads pg_stat_statements in its schema and version, or None if it is not readable."""
    extension = transactions.attempt(database, lambda: sessions.query(database, "statement_statistics_schema"))
    if not extension or isinstance(extension, Error):
        return None
    [(schema, has_toplevel)] = extension
    return sql.SQL(STATEMENTS["statement_costs"]).format(
        view=sql.Identifier(schema, "pg_stat_statements"),
        toplevel=sql.Identifier("toplevel") if has_toplevel else sql.SQL("true"),
    )


def _statement_costs(database: str, statement: sql.Composed) -> StatementCosts:
    costs: dict[tuple[ViewName, bool], StatementCost] = {}
    for text, *counters in sessions.query_composed(database, statement):
        if (view_and_mode := parse_refresh(text)) is not None:
            cost = _statement_cost(*counters)
            costs[view_and_mode] = add_statement_costs(costs[view_and_mode], cost) if view_and_mode in costs else cost
    return costs


def _statement_cost(  # noqa: PLR0913, PLR0917  # one column each
    calls: int,
    milliseconds: float,
    rows: int,
    shared_hit: int,
    shared_read: int,
    shared_dirtied: int,
    shared_written: int,
    temp_read: int,
    temp_written: int,
    wal: int,
) -> StatementCost:
    return StatementCost(
        calls=calls,
        total_exec_time=timedelta(milliseconds=milliseconds),
        rows=rows,
        shared_blocks_hit=shared_hit,
        shared_blocks_read=shared_read,
        shared_blocks_dirtied=shared_dirtied,
        shared_blocks_written=shared_written,
        temp_blocks_read=temp_read,
        temp_blocks_written=temp_written,
        wal_bytes=wal,
    )


def backend_costs(database: str, *, flush: bool = True) -> BackendCost | None:
    """What the backend of this thread's connection has read and written up to now; None before PostgreSQL 18.

    To be called between transactions, right before one and right after it: a backend publishes its counters only when
    a transaction has ended, and unasked no more than once a second. Inside a transaction the answer is None. Asking it
    to publish has to be a statement of its own, so that this takes two round trips, of 0.1 ms each by unix socket.
    """
    if transactions.in_transaction(database):
        return None
    try:
        if sessions.driver_connection(database).info.server_version < _MIN_VERSION_BACKEND_COSTS:
            return None
        if flush:  # a `BatchedTransaction` that has just committed has done it
            sessions.query(database, "flush_backend_statistics")
        [(pid, read, written, wal)] = sessions.query(database, "backend_costs")
    except Error:
        return None
    return BackendCost(pid=pid, read_bytes=read, write_bytes=written, wal_bytes=wal)


def save_costs(database: str, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Write what refreshes have cost into seeder_run_metrics, over `columns` of what was known before; what a row
    leaves out of them is null.

    By one value, because an ORM spends ten times as long on each of its twenty-three columns.
    """
    sessions.execute(
        database,
        sql.SQL(STATEMENTS["upsert_run_metrics"]).format(
            rows=sql.Literal(Jsonb(rows)),
            columns=sql.SQL(", ").join([sql.Identifier(column) for column in columns]),
            replaced=sql.SQL(", ").join([sql.Identifier("excluded", column) for column in columns]),
        ),
    )

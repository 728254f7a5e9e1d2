"""Runs the statements of a partitioning in the current transaction."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import Error
from psycopg import sql

from data_pipeline.errors import TableBusy
from data_pipeline.partition_errors import PartitioningFailed, RowsDiffer
from data_pipeline.postgres.partitioning import PartitionPlan, PartitionStep
from data_pipeline.postgres.tracking import LOCK_TIMEOUT_SECONDS
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.sqlstates import LOCK_NOT_AVAILABLE, first_line, sqlstate
from seeder.postgres.transactions import SHORT_LOCK_TIMEOUT, attempt, retry_while_locked

_MAX_SWAP_WAIT = timedelta(seconds=60)


def lock(database: str, table: ViewName, step: PartitionStep) -> None:
    """Keep others from writing to the table. Raises `TableBusy`."""
    sessions.query(database, sql.SQL("SET LOCAL lock_timeout = {}").format(f"{LOCK_TIMEOUT_SECONDS}s"))
    _run(database, table, [step])


def run(database: str, plan: PartitionPlan) -> None:
    """Copy the rows, compare them, and exchange the names.

    Raises `RowsDiffer`, `PartitioningFailed`, or `TableBusy` if readers hold the table for a minute.
    """
    _run(database, plan.table, plan.copy)
    [(is_equal,)] = sessions.query(database, sql.SQL(plan.comparison.statement))
    if not is_equal:
        raise RowsDiffer(table=str(plan.table))
    _run(database, plan.table, plan.index)
    # An attempt that meets a reader gives its locks back at once, so that no other reader waits behind it.
    sessions.query(database, SHORT_LOCK_TIMEOUT)
    result, _ = retry_while_locked(
        lambda: attempt(database, lambda: _run_unguarded(database, plan.swap)), _MAX_SWAP_WAIT
    )
    if isinstance(result, Error):
        raise _expected(result, plan.table, _MAX_SWAP_WAIT, "exchange of the names") from result


def _run(database: str, table: ViewName, steps: Iterable[PartitionStep]) -> None:
    for step in steps:
        try:
            sessions.query(database, sql.SQL(step.statement))
        except Error as error:
            raise _expected(error, table, timedelta(seconds=LOCK_TIMEOUT_SECONDS), step.statement) from error


def _run_unguarded(database: str, steps: Iterable[PartitionStep]) -> None:
    for step in steps:
        sessions.query(database, sql.SQL(step.statement))


def _expected(error: Error, table: ViewName, waited: timedelta, statement: str) -> Exception:
    if sqlstate(error) == LOCK_NOT_AVAILABLE:
        return TableBusy(table=str(table), seconds=int(waited.total_seconds()))
    return PartitioningFailed(table=str(table), statement=statement, cause=first_line(error))

"""Finds the conditions of data checks that read nothing but the columns of their row.

Such a condition has the same result on the rows of a view and on those of its query. What else an expression reads is
seen in the stored tree of a temporary view, which executes nothing and is rolled back.
"""

from collections.abc import Iterable, Sequence, Set
from functools import partial

from django.db import Error
from psycopg import sql

from seeder.domain.closed_queries import QueryFact, reads_only_its_row
from seeder.domain.data_checks.rules import Condition
from seeder.domain.snapshots.snapshot_contents import ViewColumn
from seeder.domain.view_names import ViewName
from seeder.postgres import catalog, closed_queries, data_check_queries, sessions, transactions, view_statements
from seeder.postgres.sqlstates import INSUFFICIENT_PRIVILEGE, LOCK_NOT_AVAILABLE, READ_ONLY, is_query_error, sqlstate

_VIEW = ViewName(schema="pg_temp", name="seeder_condition")


def find_row_conditions(database: str, view: ViewName, conditions: Iterable[Condition]) -> Set[Condition]:
    """Return those conditions that read only columns of their row, settings and the time of the transaction.

    The caller has begun a transaction. If this role cannot create a temporary view, there are none.
    """
    columns = catalog.view_columns(database, view)
    return {one for one in conditions if _reads_only_its_row(database, one, columns)}


def _reads_only_its_row(database: str, condition: Condition, columns: Sequence[ViewColumn]) -> bool:
    facts = transactions.attempt_and_roll_back(database, partial(_facts, database, condition, columns))
    if not isinstance(facts, Error):
        return reads_only_its_row(facts)
    if is_query_error(facts) or sqlstate(facts) in {INSUFFICIENT_PRIVILEGE, LOCK_NOT_AVAILABLE, READ_ONLY}:
        return False
    raise facts


def _facts(database: str, condition: Condition, columns: Sequence[ViewColumn]) -> Sequence[QueryFact]:
    """Return what the scan of a condition uses. No row is read."""
    row = sql.SQL(", ").join(
        sql.SQL("NULL::{} AS {}").format(sql.SQL(column.type), sql.Identifier(column.name)) for column in columns
    )
    source = sql.SQL("(SELECT {})").format(row)
    scan = data_check_queries.scan_statement(source, [data_check_queries.scan_column(condition)])
    create = sql.SQL("CREATE VIEW {} (rows, bad_rows) AS {}").format(view_statements.view_identifier(_VIEW), scan)
    sessions.execute_single_statement(database, create)
    return closed_queries.query_facts(database, [_VIEW])[_VIEW]

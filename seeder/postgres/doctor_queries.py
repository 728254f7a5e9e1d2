"""Catalog queries of the doctor, one for all views.

The fields of each value are in the order of the columns of its statement. Names are quoted for SQL unless noted.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import Error

from seeder.domain.view_names import ViewName
from seeder.postgres import session_sharing, sessions, transactions, view_statements
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sqlstates import is_connection_lost

_VERSION_NUM_PER_MAJOR = 10000  # of server_version_num

# Only DDL on catalogs themselves locks them for longer.
_BEGIN_STATEMENT = "BEGIN READ ONLY; SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '60s';"


class ServerFacts(NamedTuple):
    """Facts about a server and seeder's role there."""

    version_num: int  # server_version_num
    version_text: str
    role: str
    database: str
    is_superuser: bool
    is_standby: bool
    is_read_only: bool  # by default_transaction_read_only
    deadlock_timeout_ms: int  # milliseconds
    idle_session_timeout_ms: int  # milliseconds; 0: none
    max_connections: int
    reserved_connections: int  # not available to seeder's role
    role_connection_limit: int  # -1: no limit
    database_connection_limit: int  # -1: no limit
    can_create_temp: bool  # temporary views
    is_pooled: bool

    @property
    def major(self) -> int:
        return self.version_num // _VERSION_NUM_PER_MAJOR

    @property
    def minor(self) -> int:
        return self.version_num % _VERSION_NUM_PER_MAJOR

    def alter_role_sql(self, setting: str, value: str) -> str:
        """Return the statement that overrides every other default of the role."""
        return f"ALTER ROLE {self.role} IN DATABASE {self.database} SET {setting} = {value};"


class FoundRelation(NamedTuple):
    """The relation with a view's name."""

    view: ViewName
    oid: int
    quoted_name: str
    relkind: str  # pg_class.relkind
    is_populated: bool
    owner: str
    owner_is_superuser: bool
    can_refresh: bool  # seeder's role
    owner_can_create_temp: bool  # temporary tables
    has_unique_index: bool  # usable for a concurrent refresh


class FoundSchema(NamedTuple):
    """A schema that manifests name, with the privileges of seeder's role."""

    name: str  # unquoted
    quoted_name: str
    exists: bool
    can_use: bool
    can_create: bool


def read(database: str, statement: str, **parameters: Any) -> sessions.Rows:
    """Run a named statement in a read-only transaction with short timeouts."""
    return read_text(database, STATEMENTS[statement], parameters)


def read_text(database: str, statement: str, parameters: Mapping[str, Any]) -> sessions.Rows:
    """Run a trusted statement in a read-only transaction with short timeouts. Public: for checks of other apps."""
    with transactions.BatchedTransaction(database, begin_statement=_BEGIN_STATEMENT) as transaction:
        return transaction.begin((statement,), parameters)[-1]


def server_facts(database: str) -> ServerFacts:
    [row] = read(database, "server_facts")
    is_pooled = sessions.session_state(database).is_behind_proxy and session_sharing.shares_session(database)
    return ServerFacts._make((*row, is_pooled))


def columns_of_query(database: str, query: str) -> frozenset[str] | None:
    """Return the names of a query's columns, or None if PostgreSQL cannot tell now, as with a locked table."""
    try:
        with transactions.rolled_back_atomic(database):
            sessions.query(database, transactions.SHORT_LOCK_TIMEOUT)
            sessions.execute_single_statement(database, view_statements.create_comparison_view(0, query))
            return frozenset(name for (name,) in sessions.query(database, STATEMENTS["comparison_columns"]))
    except Error as error:
        if is_connection_lost(error):
            raise
        return None

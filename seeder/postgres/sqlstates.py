"""What an error of the database means to us, decided by its SQLSTATE and never by the text of its message."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import Error, InterfaceError, OperationalError, connections

from seeder.errors import (
    NotPostgreSQL,
    PermissionMissing,
    ReadOnly,
    SchemaMissing,
    ServerFault,
    ServerUnreachable,
)

QUERY_CANCELED = "57014"  # by us, by somebody else or by statement_timeout; only the message tells, in any language

LOCK_NOT_AVAILABLE, UNDEFINED_TABLE, UNIQUE_VIOLATION = "55P03", "42P01", "23505"

# What REFRESH … CONCURRENTLY answers without a usable unique index, and before the view was ever filled; both have
# other meanings too.
NOT_IN_PREREQUISITE_STATE, FEATURE_NOT_SUPPORTED = "55000", "0A000"

# Nothing to do with the statement itself: lock not granted, deadlock, serialization, administrator, crash, not yet up,
# idle session, idle transaction, too many connections.
_TRANSIENT = {LOCK_NOT_AVAILABLE, "40P01", "40001", "57P01", "57P02", "57P03", "57P05", "25P03", "53300"}
_CONNECTION_CLASS = "08"  # the class of connection exceptions

# The classes of connection exceptions, insufficient resources, operator intervention, system and internal errors, and
# of these what a view brings on itself: a limit of its own (temp_file_limit), a cancel, its own time limit.
_SERVER_FAULT_CLASSES = {_CONNECTION_CLASS, "53", "57", "58", "XX"}
_VIEW_FAULTS = {"53400", QUERY_CANCELED, "57P05"}
_READ_ONLY = {"25006"}  # read-only: a standby, or a server that somebody has locked

INSUFFICIENT_PRIVILEGE = "42501"

# The classes of what is no fault of a statement, nor always over soon: transaction rollback, insufficient resources,
# object not in prerequisite state, operator intervention, system error. And what follows in the same transaction.
_SERVER_UNABLE_CLASSES, _IN_FAILED_TRANSACTION = {_CONNECTION_CLASS, "40", "53", "55", "57", "58"}, "25P02"

LOST_CONNECTION = "lost_connection"


def sqlstate(error: Error) -> str | None:
    """The five characters that PostgreSQL gave; None where it gave none, as when a connection is refused or lost."""
    cause = error.__cause__
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


def is_transient(error: Error) -> bool:
    """Whether the same may well succeed later."""
    state = sqlstate(error)
    if state is None:  # from the client: a refused or lost connection, or a mistake of ours
        return isinstance(error, OperationalError | InterfaceError)
    return state in _TRANSIENT or state.startswith(_CONNECTION_CLASS)


def is_connection_lost(error: Error) -> bool:
    """Whether there was nobody to talk to: a connection that was refused or lost, a server that is down, not yet up or
    full."""
    state = sqlstate(error)
    if state is None:
        return isinstance(error, OperationalError | InterfaceError)
    return state in {"57P01", "57P02", "57P03", "53300"} or state.startswith(_CONNECTION_CLASS)


def is_query_error(error: Error) -> bool:
    """Whether PostgreSQL has understood and refused a statement: its syntax, or a name that it does not know. A missing
    privilege says nothing of the query."""
    state = sqlstate(error) or ""
    return state.startswith("42") and state != INSUFFICIENT_PRIVILEGE


def is_server_fault(state: str | None) -> bool:
    """Whether an SQLSTATE says that the server is unwell, rather than the view, its data or its privileges: a lost or
    refused connection, no resources left, shut down, read-only, a system or internal error."""
    return state is None or (state[:2] in _SERVER_FAULT_CLASSES and state not in _VIEW_FAULTS) or state in _READ_ONLY


def first_line(error: Error) -> str:
    return str(error).strip().partition("\n")[0]


def condition_name(state: str | None) -> str:
    """PostgreSQL's name for an SQLSTATE, such as division_by_zero; the SQLSTATE itself where psycopg knows no name."""
    if state is None:
        return LOST_CONNECTION
    try:
        name = psycopg.errors.lookup(state).__name__
    except KeyError:
        return state
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).rstrip("_").lower()  # psycopg.errors.InternalError_


@contextmanager
def translate_database_errors(database: str) -> Iterator[None]:
    """Around work on the contract's tables: a missing server, schema or privilege becomes an error in plain words.

    Raises `NotPostgreSQL`, `ServerUnreachable`, `ServerUnable`, `ReadOnly`, `SchemaMissing` or `PermissionMissing`; any
    other error passes: it would be a mistake of ours.
    """
    if connections[database].vendor != "postgresql":
        raise NotPostgreSQL(alias=database, vendor=connections[database].vendor)
    try:
        yield
    except Error as error:
        settings = connections[database].settings_dict
        host, port = settings["HOST"] or "its unix socket", settings["PORT"]
        facts = {
            "alias": database,
            "database": settings["NAME"],
            "address": f"{host}:{port}" if port else host,
            "cause": first_line(error),
        }
        match sqlstate(error):
            case None | "57P01" | "57P02" | "57P03":  # refused or lost, shut down, crashed, not yet up
                raise ServerUnreachable(**facts) from error
            case "42P01" | "42703" | "3F000":  # no such table, column, schema
                raise SchemaMissing(**facts) from error
            case "25006":  # read-only
                raise ReadOnly(alias=database, database=settings["NAME"]) from error
            case "42501":  # insufficient privilege
                raise PermissionMissing(**facts) from error
            case state if state == _IN_FAILED_TRANSACTION or state[:2] in _SERVER_UNABLE_CLASSES:
                raise ServerFault(**facts) from error
        raise

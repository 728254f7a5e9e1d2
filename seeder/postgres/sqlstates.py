"""Classification of database errors by their SQLSTATE, never by the text of a message."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
from django.db import Error, InterfaceError, OperationalError, connections

from seeder.domain.view_names import ViewName
from seeder.errors import (
    NotPostgreSQL,
    PermissionMissing,
    ReadOnly,
    SchemaMissing,
    ServerFault,
    ServerOutOfMemory,
    ServerUnreachable,
)
from seeder.texts import Text

QUERY_CANCELED = "57014"  # by seeder, another user or statement_timeout; only the translated message tells which
LOCK_NOT_AVAILABLE, UNDEFINED_TABLE, UNIQUE_VIOLATION = "55P03", "42P01", "23505"
INSUFFICIENT_PRIVILEGE, OUT_OF_MEMORY = "42501", "53200"  # or a full lock table
CARDINALITY_VIOLATION, SERIALIZATION_FAILURE = "21000", "40001"
UNDEFINED_NAMES = {UNDEFINED_TABLE, "42883", "42704"}  # also functions and operators; types and other objects

# REFRESH ... CONCURRENTLY without a usable unique index, and of a view that was never filled. Both have other meanings.
NOT_IN_PREREQUISITE_STATE, FEATURE_NOT_SUPPORTED = "55000", "0A000"

_CONNECTION_CLASS = "08"
_CONNECTION_LOST = {"57P01", "57P02", "57P03", "53300"}  # terminated, crashed, starting, too many connections
# Unrelated to the statement: lock not granted, deadlock, serialization, idle session, idle transaction.
_TRANSIENT, _SESSION_TIMEOUTS = {LOCK_NOT_AVAILABLE, "40P01", SERIALIZATION_FAILURE}, {"57P05", "25P03"}

# Faults of a server whose session continues: no resources, no disk, no memory, I/O error, read-only.
READ_ONLY = "25006"
_FAULTS_OF_LIVE_SERVER = {"53000", "53100", "53200", "58030", READ_ONLY}
# Connection, resources, intervention, system and internal errors, if they end the session; an idle one does not count.
_SERVER_FAULT_CLASSES, _IDLE_SESSION = {_CONNECTION_CLASS, "53", "57", "58", "XX"}, "57P05"
# Source files that report the SQLSTATE of a function's author or of another server: RAISE and its like in procedural
# languages, dblink, postgres_fdw.
_RELAYING_FILES = {"pl_exec.c", "plperl.c", "plpy_elog.c", "plpy_plpymodule.c", "pltcl.c", "dblink.c", "connection.c"}

# Transaction rollback, insufficient resources, object not in prerequisite state, operator intervention, system error.
_SERVER_UNABLE_CLASSES = {_CONNECTION_CLASS, "40", "53", "55", "57", "58"}
_ENDED_TRANSACTION = {"25P02", "25P03", "25P04"}  # failed before, or ended because it was idle or took too long
_UNRELATED_CLASSES = {*_SERVER_UNABLE_CLASSES, "25", "XX"}  # also invalid transaction state, internal error


def sqlstate(error: Error) -> str | None:
    """Return the SQLSTATE, or None if there is none, as for a refused or lost connection."""
    cause = _driver_error(error)
    return cause.sqlstate if cause else None


def _driver_error(error: Error) -> psycopg.Error | None:
    """Return the error of psycopg, which has the fields of the protocol."""
    cause = error.__cause__
    return cause if isinstance(cause, psycopg.Error) else None


def has_lost_session(error: Error) -> bool:
    """Return whether the session ended with this error, or never began.

    The server ends a session with the severity FATAL or PANIC. After an ERROR the session answers, even if the SQLSTATE
    says that a connection was lost: that was the connection of a function or a foreign server.
    """
    cause = _driver_error(error)
    if cause is None or cause.sqlstate is None:
        return isinstance(error, OperationalError | InterfaceError)
    return cause.diag.severity_nonlocalized != "ERROR"


def is_transient(error: Error) -> bool:
    """Return whether a retry can succeed."""
    state = sqlstate(error)
    return is_connection_lost(error) or state in _TRANSIENT or (state in _SESSION_TIMEOUTS and has_lost_session(error))


def is_connection_lost(error: Error) -> bool:
    """Return whether our connection was refused or lost, or the server is down, starting or full."""
    return has_lost_session(error) and names_lost_connection(sqlstate(error))


def names_lost_connection(state: str | None) -> bool:
    """Return whether an SQLSTATE means a lost connection, ours or one to another server."""
    return state is None or state in _CONNECTION_LOST or state.startswith(_CONNECTION_CLASS)


def is_query_error(error: Error) -> bool:
    """Return whether a statement is refused for what it says: a name, a literal, a feature or a limit.

    Every SQLSTATE counts unless it is about a privilege, a lock, the transaction or the server, because any function
    that PostgreSQL calls while it parses a query can raise its own.
    """
    state = sqlstate(error)
    if state is None:
        return not is_connection_lost(error)
    is_unrelated = is_transient(error) or state[:2] in _UNRELATED_CLASSES
    return not is_unrelated and state != INSUFFICIENT_PRIVILEGE


def is_missing_privilege(error: Error) -> bool:
    """Return whether PostgreSQL's check of privileges on an object failed.

    Other refusals have the same SQLSTATE, such as those of operations that a refresh does not allow. The name of the
    routine is a field of the protocol, and is never translated.
    """
    cause = _driver_error(error)
    return cause is not None and (cause.diag.source_function or "").startswith("aclcheck_error")


def is_in_function(error: Error) -> bool:
    """Return whether the error is in a statement of a function."""
    cause = _driver_error(error)
    return cause is not None and cause.diag.internal_query is not None


def named_table(error: Error) -> ViewName | None:
    """Return the table that violates a constraint."""
    cause = _driver_error(error)
    if cause and cause.diag.schema_name and cause.diag.table_name:
        return ViewName(schema=cause.diag.schema_name, name=cause.diag.table_name)
    return None


def is_server_fault(error: Error) -> bool:
    """Return whether an error blames our server, not the view, its data, its privileges or another server."""
    state, cause = sqlstate(error), _driver_error(error)
    if has_lost_session(error):
        return state is None or (state[:2] in _SERVER_FAULT_CLASSES and state != _IDLE_SESSION)
    source_file = cause.diag.source_file if cause else None
    return state in _FAULTS_OF_LIVE_SERVER and source_file not in _RELAYING_FILES


class ErrorReport(NamedTuple):
    """What PostgreSQL says about an error of a statement."""

    message: str
    position: int | None  # character in the statement, from 1
    hint: str | None


def error_report(error: Error) -> ErrorReport:
    """Return the fields of an error."""
    cause = _driver_error(error)
    if cause is None or not cause.diag.message_primary:
        return ErrorReport(first_line(error), None, None)
    position = cause.diag.statement_position
    return ErrorReport(cause.diag.message_primary, int(position) if position else None, cause.diag.message_hint)


def first_line(error: Error) -> str:
    return str(error).strip().partition("\n")[0]


def condition_name(state: str | None) -> str:
    """Return PostgreSQL's name for an SQLSTATE, such as division_by_zero, or the SQLSTATE if psycopg knows no name."""
    if state is None:
        return "lost_connection"
    try:
        name = psycopg.errors.lookup(state).__name__
    except KeyError:
        return state
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).rstrip("_").lower()  # psycopg.errors.InternalError_


@contextmanager
def translate_database_errors(database: str) -> Iterator[None]:
    """Translate errors about the server, the schema or privileges.

    Raises `NotPostgreSQL`, `ServerUnreachable`, `ServerFault`, `ReadOnly`, `SchemaMissing` or `PermissionMissing`.
    Other errors are programming errors, and are raised unchanged.
    """
    if connections[database].vendor != "postgresql":
        raise NotPostgreSQL(alias=database, vendor=connections[database].vendor)
    try:
        yield
    except Error as error:
        settings = connections[database].settings_dict
        host, port = settings["HOST"] or Text("its unix socket"), settings["PORT"]
        facts = {
            "alias": database,
            "database": settings["NAME"],
            "address": Text("{host}:{port}", host=host, port=port) if port else host,
            "cause": first_line(error),
        }
        match sqlstate(error):
            case None | "57P01" | "57P02" | "57P03" if has_lost_session(error):  # or terminated, crashed, starting
                raise ServerUnreachable(**facts) from error
            case "42P01" | "42703" | "3F000":  # no such table, column, schema
                raise SchemaMissing(**facts) from error
            case "25006":  # read-only transaction
                raise ReadOnly(**facts) from error
            case "42501":  # insufficient privilege
                raise PermissionMissing(**facts) from error
            case "53200":  # out of memory
                raise ServerOutOfMemory(**facts) from error
            case str(state) if state in _ENDED_TRANSACTION or state[:2] in _SERVER_UNABLE_CLASSES:
                raise ServerFault(**facts) from error
        raise

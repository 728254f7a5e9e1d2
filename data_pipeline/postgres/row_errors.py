"""Tells errors of a row from those of a statement or server."""

from typing import cast

import psycopg
from django.db import Error

from seeder.postgres.sqlstates import sqlstate

# Subquery with several rows, data exceptions, integrity violations, check options, and exceptions of PL/pgSQL.
_ROW_CLASSES = {"21", "22", "23", "44", "P0"}
_ROW_IS_TOO_BIG = "54000"  # other limits are those of a statement
_TRIGGER_FILES = {"pl_exec.c", "plperl.c", "plpy_elog.c", "pltcl.c"}  # a trigger can raise any SQLSTATE
_DEADLOCK = "40P01"
_ROW_SECURITY = "ExecWithCheckOptions"
# Texts of some types are names or a small language: regclass, tsquery, jsonpath. Others need a feature of the server.
_CLASSES_OF_VALUES = {"42", "0A"}


def is_refusal(error: Error) -> bool:
    """Return whether PostgreSQL refused a row for its values.

    Other rows can then be loaded.
    """
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error) or cause.sqlstate is None:
        return False
    is_of_trigger = cause.diag.source_file in _TRIGGER_FILES
    is_of_row_security = cause.diag.source_function == _ROW_SECURITY
    is_of_values = cause.sqlstate[:2] in _ROW_CLASSES or cause.sqlstate == _ROW_IS_TOO_BIG
    return is_of_values or is_of_trigger or is_of_row_security


def may_be_of_value(error: Error) -> bool:
    """Return whether a COPY may have failed for a value.

    The class of such an error is that of statements, so it counts only after the COPY has begun.
    """
    cause = error.__cause__
    return isinstance(cause, psycopg.Error) and (cause.sqlstate or "")[:2] in _CLASSES_OF_VALUES


def is_deadlock(error: Error) -> bool:
    """Return whether the server ended a transaction because of a deadlock."""
    return sqlstate(error) == _DEADLOCK


def diagnostics(error: Error) -> psycopg.errors.Diagnostic:
    """Return the fields of the protocol: message, detail, constraint, table."""
    return cast("psycopg.Error", error.__cause__).diag

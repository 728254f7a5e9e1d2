"""Tells errors of a row from errors of a statement, a session or the server."""

from typing import cast

import psycopg
from django.db import Error

# Data exceptions, integrity violations, limits, check options, and exceptions of PL/pgSQL.
_ROW_CLASSES = {"22", "23", "54", "44", "P0"}
_TRIGGER_FILES = {"pl_exec.c", "plperl.c", "plpy_elog.c", "pltcl.c"}  # a trigger can raise any SQLSTATE
_ROW_SECURITY = "ExecWithCheckOptions"


def is_refusal(error: Error) -> bool:
    """Return whether PostgreSQL refused a row for its values, so that other rows can be loaded."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error) or cause.sqlstate is None:
        return False
    is_of_trigger = cause.diag.source_file in _TRIGGER_FILES
    is_of_row_security = cause.diag.source_function == _ROW_SECURITY
    return cause.sqlstate[:2] in _ROW_CLASSES or is_of_trigger or is_of_row_security


def diagnostics(error: Error) -> psycopg.errors.Diagnostic:
    """Return the fields of the protocol: message, detail, constraint, table."""
    return cast("psycopg.Error", error.__cause__).diag

"""Refuses callers whose transaction would contain a load.

The row of the load must be committed before its rows are.
"""

from django.db import connections

from data_pipeline.errors import AutocommitOff, InsideTransaction


def require_own_transaction(database: str, operation: str) -> None:
    """Raise `InsideTransaction` or `AutocommitOff` if an operation could not commit."""
    connection = connections[database]
    if connection.in_atomic_block:
        raise InsideTransaction(operation=operation, alias=database)
    if not connection.get_autocommit():
        raise AutocommitOff(operation=operation, alias=database)

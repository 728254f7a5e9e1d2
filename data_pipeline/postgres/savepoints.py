"""Runs statements in a savepoint.

So a refused row does not end the transaction of its load.
"""

from collections.abc import Callable

import psycopg
from django.db import Error, connections
from psycopg import sql

from data_pipeline.postgres.row_errors import is_refusal
from seeder.postgres import sessions


def affected_rows(database: str, statement: sql.Composed) -> int:
    """Run a statement. Return the number of rows that it affected. Raises Django's database errors."""
    connection = sessions.driver_connection(database)
    with connections[database].wrap_database_errors, psycopg.ClientCursor(connection) as cursor:
        return cursor.execute(statement).rowcount


def attempt_rows(database: str, statement: sql.Composed) -> int | Error:
    """Run a statement in a savepoint. Return its number of rows, or the error if PostgreSQL refused one of them."""
    return attempt(database, lambda: affected_rows(database, statement), is_expected=is_refusal)


def attempt(database: str, run: Callable[[], int], *, is_expected: Callable[[Error], bool]) -> int | Error:
    """Call `run` in a savepoint. Return its result, or the expected error.

    An error rolls the savepoint back. Raises other errors.
    """
    sessions.query(database, "SAVEPOINT load_rows")
    try:
        count = run()
    except Error as error:
        if not is_expected(error):
            raise
        sessions.query(database, "ROLLBACK TO SAVEPOINT load_rows; RELEASE SAVEPOINT load_rows")
        return error
    sessions.query(database, "RELEASE SAVEPOINT load_rows")
    return count

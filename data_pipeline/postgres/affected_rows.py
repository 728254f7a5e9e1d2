"""Statements whose number of affected rows is wanted."""

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
    """Run a statement in a savepoint. Return its number of rows, or the error if PostgreSQL refused one of them.

    Raises other errors.
    """
    sessions.query(database, "SAVEPOINT load_rows")
    try:
        count = affected_rows(database, statement)
    except Error as error:
        if not is_refusal(error):
            raise
        undo_savepoint(database)
        return error
    sessions.query(database, "RELEASE SAVEPOINT load_rows")
    return count


def undo_savepoint(database: str) -> None:
    """Undo what was done since the savepoint of these rows."""
    sessions.query(database, "ROLLBACK TO SAVEPOINT load_rows; RELEASE SAVEPOINT load_rows")

"""Copies CSV bytes into a relation."""

from collections.abc import Iterable, Iterator, Sequence

import psycopg
from django.db import Error, connections
from psycopg import sql

from data_pipeline.domain.csv_fields import CsvFormat
from data_pipeline.postgres import savepoints
from data_pipeline.postgres.row_errors import is_refusal, may_be_of_value
from data_pipeline.postgres.target_tables import TargetColumn
from seeder.postgres import sessions

GUARD_STATE = "22012"  # division by zero
_PIECE_BYTES = 256 * 1024  # psycopg copies what it sends, and this much fits the processor's cache


def copy_bytes(database: str, statement: sql.Composed, pieces: Iterable[bytes | memoryview]) -> int:
    """Send bytes by COPY. Return the number of rows. Raises Django's database errors."""
    connection = sessions.driver_connection(database)
    with connections[database].wrap_database_errors, psycopg.Cursor(connection) as cursor:
        with cursor.copy(statement) as copy:
            for piece in pieces:
                copy.write(piece)
        return cursor.rowcount


def pieces_of(data: bytes) -> Iterable[memoryview]:
    """Cut bytes into pieces that are sent one by one."""
    view = memoryview(data)
    return (view[start : start + _PIECE_BYTES] for start in range(0, len(view), _PIECE_BYTES))


def copy_statement(
    relation: sql.Composable,
    columns: Sequence[str],
    csv_format: CsvFormat,
    *,
    guard: sql.Composable | None = None,
    skips_bad_values: bool = False,
) -> sql.Composed:
    """Return a COPY of CSV in UTF-8. A row for which `guard` raises an error is refused.

    Skipping rows with values that are not of their type needs PostgreSQL 17.
    """
    return sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv, DELIMITER {}, QUOTE {}, ENCODING 'UTF8'{}){}").format(
        relation,
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.Literal(csv_format.delimiter.decode()),
        sql.Literal(csv_format.quote.decode()),
        sql.SQL(", ON_ERROR ignore" if skips_bad_values else ""),
        sql.SQL(" WHERE {}").format(guard) if guard else sql.SQL(""),
    )


def changing_date_guard(columns: Iterable[TargetColumn]) -> sql.Composed | None:
    """Return a condition that raises an error for dates near today.

    Such a date can have been written as `today`. Evaluating the condition costs less than 5 % of a COPY, and searching
    the words in the bytes 15 %. None without columns of dates.
    """
    is_near = near_today(columns)
    if is_near is None:
        return None
    # Not folded to a constant, because PostgreSQL does not know that both branches are zero.
    return sql.SQL("CASE WHEN {near} THEN 1 / (CASE WHEN {near} THEN 0 ELSE 0 END) = 1 ELSE true END").format(
        near=is_near
    )


def near_today(columns: Iterable[TargetColumn]) -> sql.Composed | None:
    """Return the condition that a row has a date near today. None without columns of dates."""
    dates = [sql.Identifier(column.name) for column in columns if column.is_date]
    conditions = [sql.SQL("{} BETWEEN current_date - 3 AND current_date + 3").format(name) for name in dates]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(conditions)) if conditions else None


def attempt_copy(database: str, statement: sql.Composed, pieces: Iterable[bytes | memoryview]) -> int | Error:
    """Copy bytes in a savepoint. Return the number of rows, or the error if it may be of a row or a value.

    An error before the first piece, such as a missing privilege, is that of the statement. Raises other errors.
    """
    has_begun = False

    def sent() -> Iterator[bytes | memoryview]:
        nonlocal has_begun
        has_begun = True
        yield from pieces

    return savepoints.attempt(
        database,
        lambda: copy_bytes(database, statement, sent()),
        is_expected=lambda error: is_refusal(error) or (has_begun and may_be_of_value(error)),
    )

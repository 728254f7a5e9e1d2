"""Writes rejected records."""

from collections.abc import Iterable
from dataclasses import fields

from django.db import connections
from psycopg import Cursor, sql

from data_pipeline.domain.rejects import Problem, Reject
from data_pipeline.postgres.json_values import jsonb
from seeder.postgres import sessions

_COLUMNS = ("load_id", "line_no", "record_no", "problems", "raw")
_PROBLEM_FIELDS = [one.name for one in fields(Problem)]


def save_rejects(database: str, load_id: int, rejects: Iterable[Reject]) -> None:
    """Replace the rejects of earlier attempts of a load."""
    sessions.query(database, "DELETE FROM load_reject WHERE load_id = %(load_id)s", {"load_id": load_id})
    statement = sql.SQL("COPY load_reject ({}) FROM STDIN").format(sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)))
    session = sessions.driver_connection(database)
    with connections[database].wrap_database_errors, Cursor(session) as cursor, cursor.copy(statement) as copy:
        for one in rejects:
            problems = [
                {name: _storable(getattr(problem, name)) for name in _PROBLEM_FIELDS} for problem in one.problems
            ]
            copy.write_row((load_id, one.line_no, one.record_no, jsonb(problems), one.raw))


def _storable(text: str | None) -> str | None:
    """Return a text without NUL, which no PostgreSQL text can have."""
    return text if text is None else text.replace("\0", "\\x00")

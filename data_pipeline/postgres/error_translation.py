"""Database errors of the loading lane as expected errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from data_pipeline.errors import RelationMissing
from seeder.errors import SchemaMissing
from seeder.postgres.sqlstates import translate_database_errors


@contextmanager
def translate_errors(database: str) -> Iterator[None]:
    """Translate errors about the server, the schema or privileges, as seeder does.

    Raises `RelationMissing` instead of `SchemaMissing`, because migrations create the tables of this app.
    """
    try:
        with translate_database_errors(database):
            yield
    except SchemaMissing as error:
        raise RelationMissing(**error.facts) from error

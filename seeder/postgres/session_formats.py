"""The formats in which a session prints and reads values."""

from django.db.backends.base.base import BaseDatabaseWrapper


def pin_formats(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Pin the formats of a new session, in one round trip. Receives Django's signal `connection_created`."""
    from seeder.postgres.named_statements import STATEMENTS  # reads files, which a process without a database saves

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(STATEMENTS["pin_formats"])

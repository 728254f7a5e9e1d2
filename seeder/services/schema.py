"""The contract's tables: put into a database that has none, and held against the models and a connected database."""

from collections.abc import Sequence

from django.db import connections

from seeder.postgres import contract
from seeder.postgres.contract import Difference
from seeder.postgres.sqlstates import foreseen


def install(database: str) -> Sequence[str]:
    """Create the tables that are missing; their names.

    Raises `NotPostgreSQL`, `ServerUnreachable` or `PermissionMissing`.
    """
    with foreseen(database):
        return contract.install(database)


def models_apart(database: str) -> Sequence[Difference]:
    """Where the models do not map what contract.sql creates, in either direction. Asks no database."""
    written, mapped = contract.written(), contract.mapped(database)
    beyond = [difference for difference in contract.differences(mapped, written) if difference.other is None]
    return [*contract.differences(written, mapped), *beyond]


def database_apart(database: str) -> Sequence[Difference]:
    """Where the connected database is not as contract.sql creates it.

    Raises `NotPostgreSQL`, `ServerUnreachable` or `PermissionMissing`.
    """
    with foreseen(database):
        return list(contract.differences(contract.written(), contract.connected(database)))


def is_postgresql(database: str) -> bool:
    """Whether Django's alias names a PostgreSQL database at all."""
    return connections[database].vendor == "postgresql"


def why_unreadable(database: str, table: str) -> str | None:
    """Why an optional table cannot be read; None where it can. Raises `DatabaseError`."""
    with foreseen(database):
        return contract.why_unusable(database, table, to_read=True)

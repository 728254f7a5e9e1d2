"""The contract's tables: put into a database that has none, and held against the models and a connected database."""

from collections.abc import Sequence

from django.db import connections

from seeder.postgres import contract
from seeder.postgres.contract import ContractDifference
from seeder.postgres.sqlstates import translate_database_errors


def install(database: str) -> Sequence[str]:
    """Create the tables that are missing; their names.

    Raises `NotPostgreSQL`, `ServerUnreachable` or `PermissionMissing`.
    """
    with translate_database_errors(database):
        return contract.install(database)


def model_differences(database: str) -> Sequence[ContractDifference]:
    """Where the models do not map what contract.sql creates, in either direction. Asks no database."""
    written, mapped = contract.tables_in_sql(), contract.tables_in_models(database)
    beyond = [difference for difference in contract.differences(mapped, written) if difference.actual is None]
    return [*contract.differences(written, mapped), *beyond]


def database_differences(database: str) -> Sequence[ContractDifference]:
    """Where the connected database is not as contract.sql creates it.

    Raises `NotPostgreSQL`, `ServerUnreachable` or `PermissionMissing`.
    """
    with translate_database_errors(database):
        return list(contract.differences(contract.tables_in_sql(), contract.tables_in_database(database)))


def is_postgresql(database: str) -> bool:
    """Whether Django's alias names a PostgreSQL database at all."""
    return connections[database].vendor == "postgresql"


def why_unreadable(database: str, table: str) -> str | None:
    """Why an optional table cannot be read; None where it can. Raises `DatabaseError`."""
    with translate_database_errors(database):
        return contract.OptionalTables.read(database, read_only=True).unusable.get(table)

"""Creates the contract's tables, and compares them with models and databases."""

from collections.abc import Sequence

from seeder.postgres import contract
from seeder.postgres.contract import ContractDifference
from seeder.postgres.sqlstates import translate_database_errors


def install(database: str) -> Sequence[str]:
    """Create the missing tables, and return their names.

    Raises `NotPostgreSQL`, `ServerUnreachable` or `PermissionMissing`.
    """
    with translate_database_errors(database):
        return contract.install(database)


def model_differences(database: str) -> Sequence[ContractDifference]:
    """Return where models and contract.sql differ, in either direction. Needs no database."""
    written, mapped = contract.tables_in_sql(), contract.tables_in_models(database)
    unwritten = [difference for difference in contract.differences(mapped, written) if difference.actual is None]
    return [*contract.differences(written, mapped), *unwritten]


def database_differences(database: str) -> Sequence[ContractDifference]:
    """Return where the database differs from contract.sql.

    Raises `NotPostgreSQL`, `ServerUnreachable` or `PermissionMissing`.
    """
    with translate_database_errors(database):
        return list(contract.differences(contract.tables_in_sql(), contract.tables_in_database(database)))


def why_unreadable(database: str, table: str) -> str | None:
    """Return why an optional table cannot be read, or None."""
    return contract.OptionalTables.read(database, read_only=True).unusable.get(table)

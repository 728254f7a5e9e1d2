"""Puts the contract's tables into a database that has none."""

from seeder.postgres import contract
from seeder.postgres.sqlstates import foreseen


def install(database: str) -> tuple[str, ...]:
    """Create what is missing of the contract; the names of the tables that were created.

    Raises `ServerUnreachable` or `PermissionMissing`.
    """
    with foreseen(database):
        before = contract.connected(database)
        contract.install(database)
        return tuple(table for table in contract.written() if table not in before)

"""Database access for scripts and notebooks.

    from seeder.client import bootstrap_django, get_database_client

    bootstrap_django("host.settings")
    get_database_client().fetch_all("SELECT * FROM reporting.arrests WHERE year = %s", [2026])

Importing this module imports no Django, so the methods import what needs it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, Protocol, cast

from seeder.errors import ClientUnusable
from seeder.services.django_bootstrap import bootstrap_django

__all__ = ["DatabaseClient", "DjangoORMClient", "bootstrap_django", "get_database_client"]

Parameters = Sequence[Any] | Mapping[str, Any]


class DatabaseClient(Protocol):
    """Methods that a class named by `DJANGO_DB_CLIENT_PATH` must have."""

    def fetch_all(self, sql: str, parameters: Parameters | None = None) -> list[dict[str, Any]]: ...
    def fetch_one(self, sql: str, parameters: Parameters | None = None) -> dict[str, Any] | None: ...
    def fetch_value(self, sql: str, parameters: Parameters | None = None) -> Any: ...
    def execute(self, sql: str, parameters: Parameters | None = None) -> int: ...


class DjangoORMClient:
    """A client of one of Django's databases, on the connection of this thread that the ORM uses too.

    Parameters are `%s` or `%(name)s`; without parameters `%` is an ordinary character. Several statements in one text
    are one transaction, with the result of the last. A failed statement raises `seeder.errors.DatabaseError`.
    """

    def __init__(self, alias: str = "default") -> None:
        self.alias = alias

    def fetch_all(self, sql: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """Return all rows as dictionaries, or none if the statement returns no rows."""
        from seeder.postgres import client_statements

        return client_statements.fetch_all(self.alias, sql, parameters)

    def fetch_one(self, sql: str, parameters: Parameters | None = None) -> dict[str, Any] | None:
        """Return the first row, or None."""
        return next(iter(self.fetch_all(sql, parameters)), None)

    def fetch_value(self, sql: str, parameters: Parameters | None = None) -> Any:
        """Return the first column of the first row, or None."""
        return next(iter((self.fetch_one(sql, parameters) or {}).values()), None)

    def execute(self, sql: str, parameters: Parameters | None = None) -> int:
        """Return the number of affected rows, or 0 if PostgreSQL does not count them."""
        from seeder.postgres import client_statements

        return client_statements.execute(self.alias, sql, parameters)

    def fetch_iter(
        self, sql: str, parameters: Parameters | None = None, *, size: int = 2000
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows of one query, `size` per round trip. Outside a transaction the server keeps the result."""
        from seeder.postgres import client_statements

        yield from client_statements.fetch_iter(self.alias, sql, parameters, chunk_size=size)

    def transaction(self) -> AbstractContextManager[None]:
        """Commit all statements of a block or none. A nested block is a savepoint."""
        from seeder.postgres import client_statements

        return client_statements.transaction(self.alias)

    def close(self) -> None:
        """Close this thread's connection. The next statement opens another."""
        from django.db import connections

        connections[self.alias].close()


def get_database_client() -> DatabaseClient:
    """Create a client of the class that `DJANGO_DB_CLIENT_PATH` (`package.module:Class`) names now.

    The default is `DjangoORMClient`. Raises `ClientUnusable`.
    """
    path = os.environ.get("DJANGO_DB_CLIENT_PATH", "")
    if not path:
        return DjangoORMClient()
    module, _, name = path.partition(":")
    try:
        return cast("DatabaseClient", getattr(import_module(module), name)())
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ClientUnusable(path=path, cause=error) from error

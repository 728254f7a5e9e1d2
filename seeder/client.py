"""The door of scripts and notebooks: start Django, and ask its database.

    from seeder.client import bootstrap_django, get_database_client

    bootstrap_django("host.settings")
    get_database_client().fetch_all("SELECT * FROM reporting.arrests WHERE year = %s", [2026])

Importing it imports no Django; what does is imported when it is needed.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, Final, Protocol, cast

from seeder.errors import ClientUnusable
from seeder.services.django_bootstrap import bootstrap_django

__all__ = ["DatabaseClient", "DjangoORMClient", "bootstrap_django", "get_database_client"]

Parameters = Sequence[Any] | Mapping[str, Any]

_CLIENT_PATH_VARIABLE: Final = "DJANGO_DB_CLIENT_PATH"


class DatabaseClient(Protocol):
    """What every client offers, whichever class `DJANGO_DB_CLIENT_PATH` names."""

    def fetch_all(self, sql: str, parameters: Parameters | None = None) -> list[dict[str, Any]]: ...
    def fetch_one(self, sql: str, parameters: Parameters | None = None) -> dict[str, Any] | None: ...
    def fetch_value(self, sql: str, parameters: Parameters | None = None) -> Any: ...
    def execute(self, sql: str, parameters: Parameters | None = None) -> int: ...


class DjangoORMClient:
    """Asks one of Django's databases, on the connection that the ORM of this thread uses, too.

    `%s` and `%(name)s` stand for parameters where there are any; without parameters `%` is only a character. A text of
    several statements is one transaction, and answered as the last of them is. What PostgreSQL refuses, or where there
    is none, is a `seeder.errors.SeederError`.
    """

    def __init__(self, alias: str = "default") -> None:
        self.alias = alias

    def fetch_all(self, sql: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """Every row, by the names of its columns; none of a statement that gives no rows."""
        from seeder.postgres import script_statements

        return script_statements.fetch_all(self.alias, sql, parameters)

    def fetch_one(self, sql: str, parameters: Parameters | None = None) -> dict[str, Any] | None:
        """The first row, None where there is none."""
        return next(iter(self.fetch_all(sql, parameters)), None)

    def fetch_value(self, sql: str, parameters: Parameters | None = None) -> Any:
        """The first column of the first row, None where there is none."""
        return next(iter((self.fetch_one(sql, parameters) or {}).values()), None)

    def execute(self, sql: str, parameters: Parameters | None = None) -> int:
        """How many rows it was about: inserted, changed, deleted or given; 0 for what counts none."""
        from seeder.postgres import script_statements

        return script_statements.execute(self.alias, sql, parameters)

    def fetch_iter(
        self, sql: str, parameters: Parameters | None = None, *, size: int = 2000
    ) -> Iterator[dict[str, Any]]:
        """The rows of a query one after the other, `size` of them a round trip, for more than fits into memory. It is
        sent when the first row is asked for."""
        from seeder.postgres import script_statements

        yield from script_statements.fetch_iter(self.alias, sql, parameters, chunk_size=size)

    def transaction(self) -> AbstractContextManager[None]:
        """What is asked inside commits together, or not at all if an error leaves it; within another one, a part."""
        from seeder.postgres import script_statements

        return script_statements.transaction(self.alias)

    def close(self) -> None:
        """Give this thread's connection back; whatever is asked next opens another."""
        from seeder.postgres import script_statements

        script_statements.close(self.alias)


def get_database_client() -> DatabaseClient:
    """A new client, of the class that DJANGO_DB_CLIENT_PATH (`package.module:Class`) names in the environment now, else
    a `DjangoORMClient`. Raises `ClientUnusable`."""
    path = os.environ.get(_CLIENT_PATH_VARIABLE, "")
    if not path:
        return DjangoORMClient()
    module, _, name = path.partition(":")
    if not module or not name:
        raise ClientUnusable(path=path, cause="one of the two is missing")
    try:
        client_class = getattr(import_module(module), name)
        client = client_class() if isinstance(client_class, type) else None
    except (ImportError, AttributeError, TypeError) as error:
        raise ClientUnusable(path=path, cause=error) from error
    if client is None:
        raise ClientUnusable(path=path, cause=f"{name} is no class")
    return cast("DatabaseClient", client)

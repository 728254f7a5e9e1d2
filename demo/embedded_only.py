"""A guard for changes that are allowed only in the embedded database."""

from django.db import DEFAULT_DB_ALIAS, connections

from demo.errors import DemoError


def require_embedded_database() -> None:
    """Raise `DemoError` unless the default database is the embedded one of this checkout."""
    engine = connections.settings[DEFAULT_DB_ALIAS]["ENGINE"]
    if engine != "embedded.backend":
        raise DemoError(
            f"DATABASES['default'] is {engine}. This is only done to the embedded database that comes with the"
            " checkout: unset DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD."
        )

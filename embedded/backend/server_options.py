"""The EMBEDDED part of a database's settings.

FOLDER     folder of the server; required
BOOTSTRAP  idempotent .sql files for a new database
SETTINGS   PostgreSQL's own settings, for the next start
IDLE       a timedelta after which the watcher stops an unused server
"""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from embedded.server import DEFAULT_IDLE_AFTER, Server, ensure_running

_ALLOWED_KEYS = {"FOLDER", "BOOTSTRAP", "SETTINGS", "IDLE"}


def running_server(settings_dict: Mapping[str, Any]) -> Server:
    options = settings_dict.get("EMBEDDED", {})
    if "FOLDER" not in options or not set(options) <= _ALLOWED_KEYS:
        allowed_keys = ", ".join(sorted(_ALLOWED_KEYS))
        raise ImproperlyConfigured(f'DATABASES: EMBEDDED needs at least "FOLDER" and knows only {allowed_keys}.')
    return ensure_running(
        options["FOLDER"],
        options.get("BOOTSTRAP", ()),
        settings=options.get("SETTINGS"),
        idle_after=options.get("IDLE", DEFAULT_IDLE_AFTER),
    )


def with_server_address(settings_dict: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with the address of the running server."""
    server = running_server(settings_dict)
    user = settings_dict.get("USER") or server.user
    return {**settings_dict, "HOST": str(server.socket_folder), "PORT": str(server.port), "USER": user}

"""The EMBEDDED part of a database's settings, and what follows from it.

FOLDER     where the server lives; required
BOOTSTRAP  idempotent .sql files for a new database
SETTINGS   PostgreSQL's own settings, for the next start
IDLE       a timedelta after which the watcher stops an unused server
"""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from embedded.server import IDLE, Server, ensure_running

_KNOWN = {"FOLDER", "BOOTSTRAP", "SETTINGS", "IDLE"}


def running_server(settings_dict: Mapping[str, Any]) -> Server:
    asked = settings_dict.get("EMBEDDED", {})
    if "FOLDER" not in asked or not set(asked) <= _KNOWN:
        known = ", ".join(sorted(_KNOWN))
        raise ImproperlyConfigured(f'DATABASES: EMBEDDED needs at least "FOLDER" and knows only {known}.')
    return ensure_running(
        asked["FOLDER"],
        asked.get("BOOTSTRAP", ()),
        settings=asked.get("SETTINGS"),
        idle_after=asked.get("IDLE", IDLE),
    )


def located(settings_dict: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with the address of the running server."""
    server = running_server(settings_dict)
    user = settings_dict.get("USER") or server.user
    return {**settings_dict, "HOST": str(server.socket_folder), "PORT": str(server.port), "USER": user}

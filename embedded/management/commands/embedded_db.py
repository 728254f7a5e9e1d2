"""`manage.py embedded_db status|stop`: shows the embedded PostgreSQL or stops it. Never starts it."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.template.defaultfilters import filesizeformat

from embedded.errors import EmbeddedError
from embedded.server import ServerStatus, psql_program, status, stop

_ENGINE = "embedded.backend"


class Command(BaseCommand):
    help = "Shows the embedded PostgreSQL (exit code 1 when it is not running), or stops it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["status", "stop"])

    def handle(self, *_: Any, action: str, **__: Any) -> None:
        database: dict[str, Any] = settings.DATABASES["default"]
        if database["ENGINE"] != _ENGINE:
            self._exit(2, f"DATABASES['default'] is {database['ENGINE']}, not {_ENGINE}: nothing was touched.")
        folder = database["EMBEDDED"]["FOLDER"]
        try:
            if action == "stop":
                self.stdout.write("stopped" if stop(folder) else "was not running")
                return
            server_status = status(folder)
        except EmbeddedError as error:
            self._exit(1, str(error))
        self.stdout.write(_status_text(server_status, database.get("NAME") or "postgres"))
        if server_status.server is None:
            sys.exit(1)

    def _exit(self, code: int, line: str) -> None:
        self.stderr.write(line)
        sys.exit(code)


def _status_text(server_status: ServerStatus, database: str) -> str:
    state = "starting or stopping" if server_status.is_busy else "not running; the first connection starts it"
    lines = [
        (
            "server",
            f"running, PostgreSQL {server_status.server.version}, pid {server_status.server.pid}"
            if server_status.server
            else state,
        )
    ]
    lines += [("data", str(server_status.data) if server_status.data else f"none yet in {server_status.folder}")]
    lines += [("size", filesizeformat(server_status.size_bytes).replace("\xa0", " "))]
    if server_status.server:
        lines += [("socket", f"{server_status.server.socket_folder} (psql -h)")]
        lines += [("psql", server_status.server.psql(database, psql_program()))]
    return "\n".join(f"{name:8}{value}" for name, value in lines)

"""`manage.py embedded_db status|stop`: looks at the embedded PostgreSQL, or stops it; never starts it."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.template.defaultfilters import filesizeformat

from embedded.errors import EmbeddedError
from embedded.server import Status, psql_program, status, stop

_ENGINE = "embedded.backend"


class Command(BaseCommand):
    help = "Shows the embedded PostgreSQL (exit code 1 when it is not running), or stops it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["status", "stop"])

    def handle(self, *_: Any, action: str, **__: Any) -> None:
        database: dict[str, Any] = settings.DATABASES["default"]
        if database["ENGINE"] != _ENGINE:
            self._end(2, f"DATABASES['default'] is {database['ENGINE']}, not {_ENGINE}: nothing was touched.")
        folder = database["EMBEDDED"]["FOLDER"]
        try:
            if action == "stop":
                self.stdout.write("stopped" if stop(folder) else "was not running")
                return
            seen = status(folder)
        except EmbeddedError as error:
            self._end(1, str(error))
        self.stdout.write(_told(seen, database.get("NAME") or "postgres"))
        if seen.server is None:
            sys.exit(1)

    def _end(self, code: int, line: str) -> None:
        self.stderr.write(line)
        sys.exit(code)


def _told(seen: Status, database: str) -> str:
    state = "starting or stopping" if seen.busy else "not running; the first connection starts it"
    lines = [("server", f"running, PostgreSQL {seen.server.version}, pid {seen.server.pid}" if seen.server else state)]
    lines += [("data", str(seen.data) if seen.data else f"none yet in {seen.folder}")]
    lines += [("size", filesizeformat(seen.size).replace("\xa0", " "))]
    if seen.server:
        lines += [("socket", f"{seen.server.socket_folder} (psql -h)")]
        lines += [("psql", seen.server.psql(database, psql_program()))]
    return "\n".join(f"{name:8}{value}" for name, value in lines)

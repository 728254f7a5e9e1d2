"""`manage.py embedded_s3 start|status|stop`: the object storage of this checkout."""

import shlex
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from embedded.errors import EmbeddedError
from embedded.object_storage.server import ObjectStorage, ensure_running, find_running, stop


class Command(BaseCommand):
    help = (
        "Starts the embedded object storage and shows its settings, shows them (exit code 1 without one), or stops it."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["start", "status", "stop"])

    def handle(self, *_: Any, action: str, **__: Any) -> None:
        folder = settings.EMBEDDED_OBJECT_STORAGE
        try:
            if action == "stop":
                self.stdout.write("stopped" if stop(folder) else "was not running")
                return
            storage = ensure_running(folder) if action == "start" else find_running(folder)
        except EmbeddedError as error:
            self.stderr.write(str(error))
            sys.exit(1)
        if storage is None:
            self.stderr.write("not running; `manage.py embedded_s3 start` starts it")
            sys.exit(1)
        self.stdout.write(_shell_lines(storage))


def _shell_lines(storage: ObjectStorage) -> str:
    """Return the settings as environment variables for a shell."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in storage.settings().items())

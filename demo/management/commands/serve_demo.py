"""`manage.py serve_demo`: prepares and serves the demo, in the embedded database only."""

from argparse import ArgumentTypeError
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo import demo_user, embedded_only, simulated_history
from demo.demo_server import serve
from demo.errors import DemoError


class Command(BaseCommand):
    help = "Open the monitoring page with the demo's data, in the embedded database only. Ctrl-C ends it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "address",
            nargs="?",
            type=_address,
            default="127.0.0.1:8000",
            help="address to listen on, as host:port (default: 127.0.0.1:8000)",
        )
        parser.add_argument("--prepare", action="store_true", help="prepare the demo without serving it")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            embedded_only.require_embedded_database()
            call_command("migrate", verbosity=0)
            call_command("install_schema", stdout=StringIO())  # tables that are newer than this database
            call_command("load_demo")
            call_command("load_demo", newest_edition=True)
            demo_user.create()
            if not simulated_history.has_history():
                self.stdout.write("Simulating some nights …")
                self.stdout.write(f"{simulated_history.create_history()} nightly runs, the last one just now.")
        except DemoError as error:
            raise CommandError(str(error)) from error
        if not options["prepare"] and serve(options["address"], on_ready=lambda: self._print_login(options["address"])):
            raise CommandError("One of the two ended by itself; its last words stand above.")

    def _print_login(self, address: str) -> None:
        self.stdout.write(
            f"\nOpen http://{address}/admin/seeder/monitoring/ and log in as {demo_user.NAME} with the password"
            f" {demo_user.PASSWORD}. Ctrl-C ends it.\n"
        )
        self.stdout.flush()


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()):
        raise ArgumentTypeError("it has to be host:port")
    return text

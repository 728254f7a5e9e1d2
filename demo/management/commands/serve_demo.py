"""`manage.py serve_demo`: everything that it takes to look at the demo, in the embedded database only."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo import login, own, past
from demo.loading import DemoError
from demo.serving import serve


class Command(BaseCommand):
    help = "Open the monitoring page with the demo's data, in the embedded database only. Ctrl-C ends it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", nargs="?", default="127.0.0.1:8000", help="where to listen")
        parser.add_argument("--prepare", action="store_true", help="do all that comes before, and end")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            own.insist()
            call_command("migrate", verbosity=0)
            call_command("install_schema", verbosity=0)
            call_command("load_demo")
            login.create()
            if not past.has_one():
                self.stdout.write("Some nights pass …")
                self.stdout.write(f"{past.make()} nightly runs, the last one just now.")
        except DemoError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"\nOpen http://{options['address']}/admin/seeder/monitoring/ and log in as"
            f" {login.NAME} with the password {login.PASSWORD}. Ctrl-C ends it.\n"
        )
        self.stdout.flush()
        if not options["prepare"] and serve(options["address"]):
            raise CommandError("One of the two ended by itself; its last words stand above.")

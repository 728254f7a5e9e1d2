from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Close a month's books. Not a command of seeder."
    is_job = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month")

    def handle(self, *_: Any, month: str, **__: Any) -> None:
        if month == "never":
            raise CommandError(f"There is no month {month}.", returncode=3)
        self.stdout.write(f"{month} is closed")

import json
from argparse import Namespace
from dataclasses import asdict

from django.core.management.base import CommandParser

from seeder.management.door import Door
from seeder.management.rendering.queue import moment
from seeder.services.queue import schedules
from seeder.services.queue.schedules import Scheduled


class Command(Door):
    help = "Make the queue's schedules those that the settings declare; nobody else's are touched."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be done and change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")

    def enter(self, options: Namespace) -> None:
        done = schedules.declare(dry_run=options.dry_run)
        if options.json:
            document = {"dryRun": options.dry_run, "schedules": [asdict(one) for one in done]}
            self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, default=str))
        else:
            self.stdout.write("\n".join(map(_line, done)))


def _line(one: Scheduled) -> str:
    cron = f" ({one.cron})" if one.cron else ""
    due = f", next due {moment(one.due)}" if one.due else ""
    return f"{one.name}{cron}: {one.did}{due}"

import json
from argparse import Namespace
from dataclasses import asdict

from django.core.management.base import CommandParser

from seeder.management.base_command import SeederCommand
from seeder.management.rendering.queue_lines import local_time_text
from seeder.services.queue import schedules
from seeder.services.queue.schedules import ScheduleChange


class Command(SeederCommand):
    help = "Make this app's schedules in the queue match the settings. Other schedules do not change."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")

    def run(self, options: Namespace) -> None:
        changes = schedules.sync_schedules(dry_run=options.dry_run)
        if options.json:
            document = {"dryRun": options.dry_run, "schedules": [asdict(one) for one in changes]}
            self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, default=str))
        else:
            self.stdout.write("\n".join(map(_change_line, changes)))


def _change_line(change: ScheduleChange) -> str:
    cron = f" ({change.cron})" if change.cron else ""
    next_due = f", next due {local_time_text(change.due)}" if change.due else ""
    return f"{change.name}{cron}: {change.action}{next_due}"

from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.management.base_command import SeederCommand
from seeder.management.rendering.queue_text import local_time_text
from seeder.services.documents.document_fields import fields
from seeder.services.queue import schedules
from seeder.services.queue.schedules import ScheduleStatus


class Command(SeederCommand):
    help = "Make this app's schedules in the queue match the settings. Other schedules do not change."
    output_formats = ("json",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")

    def run(self, options: Namespace) -> None:
        changes = schedules.sync_schedules(dry_run=options.dry_run)
        documents = [fields(change, "name", "action", "cron", nextDue="due") for change in changes]
        document = {"dryRun": options.dry_run, "schedules": documents}
        self.output.show(document, map(_change_line, changes))


def _change_line(change: ScheduleStatus) -> str:
    cron = f" ({change.cron})" if change.cron else ""
    next_due = f", next due {local_time_text(change.due)}" if change.due else ""
    return f"{change.name}{cron}: {change.action}{next_due}"

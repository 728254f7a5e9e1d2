"""Base class of commands that make an app's schedules match its settings."""

from argparse import Namespace
from collections.abc import Sequence

from django.core.management.base import CommandParser

from seeder.domain.monitoring.state_words import state_word
from seeder.management.base_command import SeederCommand
from seeder.management.rendering.local_times import local_time_text
from seeder.services.documents.document_fields import fields
from seeder.services.queue.schedule_rows import ScheduleStatus
from seeder.texts import Text


class ScheduleCommand(SeederCommand):
    """A command that synchronizes schedules in `sync`, and shows what it changed."""

    output_formats = ("json",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help=Text("show what would change, and change nothing"))

    def run(self, options: Namespace) -> None:
        changes = self.sync(dry_run=options.dry_run)
        documents = [fields(change, "name", "action", "cron", nextDue="due") for change in changes]
        document = {"dryRun": options.dry_run, "schedules": documents}
        self.output.show(document, map(_change_line, changes) if changes else [Text("Nothing is scheduled.")])

    def sync(self, *, dry_run: bool) -> Sequence[ScheduleStatus]:
        """Synchronize the schedules. Return each of them, and what was done with it."""
        raise NotImplementedError


def _change_line(change: ScheduleStatus) -> str:
    action = state_word(change.action or "")
    if change.due:
        action = Text.joined([action, Text("next due {time}", time=local_time_text(change.due))])
    return Text.joined([change.name_with_cron, action], ": ")

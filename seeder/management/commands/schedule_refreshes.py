from argparse import Namespace
from collections.abc import Sequence

from django.core.management.base import CommandParser

from seeder.management.schedule_command import ScheduleCommand
from seeder.services.queue import schedules
from seeder.services.queue.schedule_rows import ScheduleStatus
from seeder.texts import Text


class Command(ScheduleCommand):
    help = Text("Make this app's schedules in the queue match the settings. Other schedules do not change.")
    _by_freshness = False

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--by-freshness",
            action="store_true",
            help=Text(
                "refresh views with freshness contracts just in time, and only the others at SEEDER_NIGHTLY_CRON"
            ),
        )

    def run(self, options: Namespace) -> None:
        self._by_freshness = options.by_freshness
        super().run(options)

    def sync(self, *, dry_run: bool) -> Sequence[ScheduleStatus]:
        return schedules.sync_schedules(dry_run=dry_run, by_freshness=self._by_freshness)

from collections.abc import Sequence

from seeder.management.schedule_command import ScheduleCommand
from seeder.services.queue import schedules
from seeder.services.queue.schedule_rows import ScheduleStatus


class Command(ScheduleCommand):
    help = "Make this app's schedules in the queue match the settings. Other schedules do not change."

    def sync(self, *, dry_run: bool) -> Sequence[ScheduleStatus]:
        return schedules.sync_schedules(dry_run=dry_run)

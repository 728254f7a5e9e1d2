from collections.abc import Sequence

from data_pipeline import conf
from data_pipeline.services import schedules
from seeder.management.schedule_command import ScheduleCommand
from seeder.services.queue.schedule_rows import ScheduleStatus
from seeder.texts import Text


class Command(ScheduleCommand):
    help = Text("Make the schedules of the pipelines in the queue match the settings. Other schedules do not change.")
    ignored_variables = staticmethod(conf.ignored_variables)

    def sync(self, *, dry_run: bool) -> Sequence[ScheduleStatus]:
        return schedules.sync_schedules(dry_run=dry_run)

from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.domain.refresh_requests import SelectedManifests
from seeder.management.refresh_command import RefreshCommand
from seeder.services.read_models import run_timeline
from seeder.texts import Text


class Command(RefreshCommand):
    help = Text("Refresh again what failed, was held or was interrupted in a run.")
    examples = (
        "20261130-020000-ab12cd34",
        "20261130-020000-ab12cd34 --queue",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run_id", metavar="RUN", help=Text("id of the run, as the output of a refresh names it"))
        super().add_arguments(parser)

    def build_requests(self, options: Namespace) -> list[SelectedManifests]:
        return [run_timeline.retry_request(options.run_id, None)]

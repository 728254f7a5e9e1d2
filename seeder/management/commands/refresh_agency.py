from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.domain.refresh_requests import AgencyReports
from seeder.management.refresh_command import RefreshCommand
from seeder.texts import Text


class Command(RefreshCommand):
    help = Text("Refresh the enabled reports of agencies.")
    examples = (
        "demo",
        "demo metro --dry-run",
        "demo --json-lines",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slugs", nargs="+", metavar="SLUG", help=Text("slug of an agency in its manifests"))
        super().add_arguments(parser)

    def build_requests(self, options: Namespace) -> list[AgencyReports]:
        return [AgencyReports(slug=slug) for slug in options.slugs]

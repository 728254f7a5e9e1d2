from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.domain.refresh_requests import AgencyReports
from seeder.management.refresh_command import RefreshCommand


class Command(RefreshCommand):
    help = "Refresh the enabled reports of one agency."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="slug of the agency in its manifests")
        super().add_arguments(parser)

    def build_request(self, options: Namespace) -> AgencyReports:
        return AgencyReports(slug=options.slug)

from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.domain.refresh_requests import SingleView
from seeder.domain.view_names import ViewName
from seeder.management.refresh_command import RefreshCommand


class Command(RefreshCommand):
    help = "Refresh one view, for all its enabled reports."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "view",
            metavar="SCHEMA.TABLE",
            help="""SQL name of the view: reporting.stg_arrests, '"Gotham PD"."Use of Force"'""",
        )
        super().add_arguments(parser)

    def build_request(self, options: Namespace) -> SingleView:
        return SingleView(name=ViewName.parse(options.view))

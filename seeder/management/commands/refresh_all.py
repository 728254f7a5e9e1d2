from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.domain.manifests import ReportType
from seeder.domain.refresh_requests import AllReports
from seeder.management.refresh_command import RefreshCommand
from seeder.texts import Text


class Command(RefreshCommand):
    help = Text("Refresh every enabled report of every agency.")
    examples = (
        "",
        "--select 'demo_*' --exclude '*_tmp'",
        "--failed --workers 2",
        "--queue",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        choices = [*map(str, ReportType)]
        parser.add_argument("--report-type", choices=choices, help=Text("only the custom or only the canned reports"))
        super().add_arguments(parser)

    def build_requests(self, options: Namespace) -> list[AllReports]:
        return [AllReports(report_type=options.report_type and ReportType(options.report_type))]

from argparse import Namespace

from django.core.management.base import CommandParser

from data_pipeline.pipelines.management.pipeline_command import PipelineCommand
from data_pipeline.pipelines.pipeline_runs import PipelineRun
from data_pipeline.pipelines.price_importer import import_prices
from seeder.texts import Text


class Command(PipelineCommand):
    help = Text("Load a vendor's price list, each version of the file exactly once.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", metavar="URI", required=True, help=Text("path or address of the price list"))
        parser.add_argument(
            "--vendor", metavar="CODE", required=True, help=Text("code of the vendor, created if it is new")
        )
        parser.add_argument(
            "--dialect", metavar="NAME", default="prices", help=Text("dialect of the file (default: %(default)s)")
        )
        parser.add_argument("--sheet", metavar="NAME", help=Text("sheet of a workbook (default: the only visible one)"))
        parser.add_argument(
            "--key", metavar="KEY", help=Text("idempotency key, 64 hexadecimal digits (default: computed)")
        )
        super().add_arguments(parser)

    def run_pipeline(self, options: Namespace) -> PipelineRun:
        return import_prices(
            options.file,
            vendor=options.vendor,
            dialect=options.dialect,
            sheet=options.sheet,
            key=options.key,
            max_rejects=options.max_rejects,
            refresh_here=True,
        )

from argparse import Namespace

from django.core.management.base import CommandParser

from data_pipeline.pipelines.fees_h10 import refresh_fees
from data_pipeline.pipelines.management.pipeline_command import PipelineCommand
from data_pipeline.pipelines.pipeline_runs import PipelineRun
from seeder.texts import Text


class Command(PipelineCommand):
    help = Text("Load the fees of articles from an API, each set of ids exactly once.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("asins", metavar="ASIN", nargs="+", help=Text("id of an article"))
        parser.add_argument(
            "--edition", default="", help=Text("text, such as a day, that loads a known set again (default: none)")
        )
        super().add_arguments(parser)

    def run_pipeline(self, options: Namespace) -> PipelineRun:
        return refresh_fees(options.asins, edition=options.edition, max_rejects=options.max_rejects, refresh_here=True)

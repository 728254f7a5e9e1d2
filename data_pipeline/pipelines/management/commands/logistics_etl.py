from argparse import Namespace

from django.core.management.base import CommandParser

from data_pipeline.pipelines.logistics_etl import run_logistics_etl
from data_pipeline.pipelines.management.pipeline_command import PipelineCommand
from data_pipeline.pipelines.pipeline_runs import PipelineRun
from seeder.texts import Text


class Command(PipelineCommand):
    help = Text("Load the current snapshot of freight rates from an API, each snapshot exactly once.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--accept-older", action="store_true", help=Text("load a snapshot although a later one was loaded before")
        )
        super().add_arguments(parser)

    def run_pipeline(self, options: Namespace) -> PipelineRun:
        return run_logistics_etl(accept_older=options.accept_older, max_rejects=options.max_rejects, refresh_here=True)

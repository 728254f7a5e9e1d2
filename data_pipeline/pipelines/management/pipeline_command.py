"""Base class of the commands of pipelines."""

from argparse import Namespace
from collections.abc import Iterator

from django.core.management.base import CommandError, CommandParser

from data_pipeline import conf
from data_pipeline.errors import TooManyRejects
from data_pipeline.http_errors import CallError
from data_pipeline.management.rendering.load_text import counted_rows
from data_pipeline.management.rendering.refresh_text import dispatch_blocks
from data_pipeline.pipelines.errors import StaleSnapshot, UnexpectedContent
from data_pipeline.pipelines.pipeline_runs import PipelineRun
from seeder.domain.human_format import format_count
from seeder.management.base_command import EXIT_FAILED, SeederCommand, whole_number
from seeder.management.rendering.command_output import Block
from seeder.services import unix_signals
from seeder.texts import Text

_FAILURES = (CallError, StaleSnapshot, TooManyRejects, UnexpectedContent)  # other errors mean a wrong request


class PipelineCommand(SeederCommand):
    """A command that runs one pipeline. It exits with 1 if the load fails, and with 2 if it cannot begin."""

    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--max-rejects",
            metavar="N",
            type=whole_number,
            help=Text("number of records that may be rejected (default: DATA_PIPELINE_MAX_REJECTS)"),
        )

    def run(self, options: Namespace) -> int | None:
        try:
            with unix_signals.interrupt_on_signal():
                ended = self.run_pipeline(options)
        except _FAILURES as error:
            raise CommandError(str(error), returncode=EXIT_FAILED) from error
        self.output.show(ended.as_document(), _blocks(ended))
        return EXIT_FAILED if ended.refresh and ended.refresh.failures else None

    def run_pipeline(self, options: Namespace) -> PipelineRun:
        """Run the pipeline."""
        raise NotImplementedError


def _blocks(ended: PipelineRun) -> Iterator[Block]:
    if ended.is_skipped:
        yield Text("{source}: loaded before, so nothing was changed", source=ended.source)
        return
    counts = ended.counts
    parts = Text.joined([format_count(counts.rows_in or 0, "record"), *counted_rows(counts)])
    yield Text("{table}: {counts} (load {load_id})", table=ended.target, counts=parts, load_id=ended.load_id)
    if ended.refresh is not None:
        yield from dispatch_blocks(ended.target or "", ended.refresh)

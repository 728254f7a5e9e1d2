from argparse import Namespace
from collections.abc import Iterator

from django.core.management.base import CommandParser

from data_pipeline import conf
from data_pipeline.services.tracking import Tracking, track_loads
from seeder.management.base_command import SeederCommand
from seeder.management.rendering.command_output import Block, Verbatim
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Give each row of a table the id of its load, so that loads can be undone and verified.")
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)
    is_job = False  # a change of the schema

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", metavar="TABLE", help=Text("table, with its schema"))
        parser.add_argument("--dry-run", action="store_true", help=Text("print the statements and change nothing"))

    def run(self, options: Namespace) -> None:
        tracking = track_loads(options.target, dry_run=options.dry_run)
        steps = [{"statement": step.statement, "locks": step.locks} for step in tracking.steps]
        document = {"table": str(tracking.table), "dryRun": options.dry_run, "steps": steps}
        self.output.show(document, _blocks(tracking, is_dry_run=options.dry_run))


def _blocks(tracking: Tracking, *, is_dry_run: bool) -> Iterator[Block]:
    if not tracking.steps:
        yield Text("{table} is tracked already.", table=tracking.table)
        return
    for step in tracking.steps:
        yield Verbatim(Text("{statement}  -- locks {locks}", statement=step.statement, locks=step.locks))
    if not is_dry_run:
        yield Text("{table} is tracked. Rows of earlier loads have no load id.", table=tracking.table)

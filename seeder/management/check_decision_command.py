"""What the commands that decide on held views share."""

import getpass
from argparse import Namespace
from collections.abc import Iterator, Sequence

from django.core.management.base import CommandParser
from django.db import DEFAULT_DB_ALIAS

from seeder.management.base_command import SeederCommand
from seeder.management.rendering.command_output import Block
from seeder.models import DataCheckWaiver
from seeder.services.data_checks import waivers
from seeder.services.data_checks.waivers import HeldChecks
from seeder.services.documents.data_check_documents import waivers_document
from seeder.services.read_models.view_checks import figures_text
from seeder.texts import Text


class CheckDecisionCommand(SeederCommand):
    """A command that decides on the data checks that hold a view."""

    output_formats = ("json",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("table_name", metavar="SCHEMA.TABLE", help=Text("the held view, by its SQL name"))
        parser.add_argument(
            "check_names",
            nargs="*",
            metavar="CHECK",
            help=Text("names of data checks (default: all that hold the view)"),
        )
        parser.add_argument("--reason", required=True, metavar="TEXT", help=Text("why, for the history of the view"))
        parser.add_argument(
            "--by", metavar="NAME", help=Text("name of the deciding person (default: the system's user)")
        )
        parser.add_argument(
            "--database",
            default=DEFAULT_DB_ALIAS,
            metavar="ALIAS",
            help=Text("database of the view (default: default)"),
        )
        parser.add_argument("--run", metavar="RUN", help=Text("decide only if this run held the view last"))

    def run(self, options: Namespace) -> None:
        held = HeldChecks(
            table_name=options.table_name,
            check_names=options.check_names,
            database=options.database,
            run_id=options.run,
        )
        decided = self.decide(held, options, by=options.by or getpass.getuser())
        undecided = waivers.undecided_checks(decided[0].table_name, options.database)
        self.output.show(waivers_document(decided, undecided), self._blocks(decided, undecided))

    def decide(self, held: HeldChecks, options: Namespace, *, by: str) -> Sequence[DataCheckWaiver]:
        """Call the service."""
        raise NotImplementedError

    def decision_text(self, **facts: str) -> Text:
        """Return the line about one check. The facts are `check`, `view` and `figures`."""
        raise NotImplementedError

    def _blocks(self, decided: Sequence[DataCheckWaiver], undecided: Sequence[str]) -> Iterator[Block]:
        for row in decided:
            figures = figures_text(row.figures) or row.sqlstate or Text("could not run")
            yield self.decision_text(check=row.check_name, view=row.table_name, figures=figures)
        if undecided:
            yield waivers.still_held_text(decided[0].table_name, undecided)
            return
        command = f"manage.py refresh_table {decided[0].table_name}"
        yield Text("Refresh the view to publish it: {command}", command=command)

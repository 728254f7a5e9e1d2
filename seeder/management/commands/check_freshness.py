from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.domain.freshness.states import FreshnessState
from seeder.management.base_command import EXIT_FAILED, SeederCommand
from seeder.management.rendering.freshness_text import freshness_blocks
from seeder.services import manifest_selection
from seeder.services.documents.freshness_documents import freshness_document
from seeder.services.read_models.freshness_overview import freshness_overview
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Exit with 1 if a freshness contract of severity error is late. Needs no run and no worker.")
    output_formats = ("json", "table")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--agency", metavar="SLUG", help=Text("only the views of one agency"))
        parser.add_argument("--all", action="store_true", help=Text("also list fresh contracts"))
        parser.add_argument(
            "--strict",
            action="store_true",
            help=Text("also exit with 1 if the state of a contract is unknown, or a contract cannot be read"),
        )

    def run(self, options: Namespace) -> int | None:
        if options.agency is not None:
            manifest_selection.require_known_agency(options.agency)
        overview = freshness_overview(None if options.agency is None else [options.agency], with_fresh=None)
        self.output.show(freshness_document(overview), freshness_blocks(overview, show_fresh=options.all))
        is_unclear = bool(overview.counts[FreshnessState.UNKNOWN] or overview.invalid or not overview.is_available)
        is_failed = any(one.is_alarm for one in overview.statuses) or (options.strict and is_unclear)
        return EXIT_FAILED if is_failed else None

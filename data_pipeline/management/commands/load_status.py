from argparse import Namespace

from django.core.management.base import CommandParser

from data_pipeline import conf
from data_pipeline.management.rendering.overview_text import overview_blocks
from data_pipeline.services import load_overview
from data_pipeline.services.overview_documents import overview_document
from seeder.management.base_command import EXIT_FAILED, SeederCommand, whole_number
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Show the latest loads, failing ones first, and the queued ones.")
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", metavar="SOURCE", help=Text("only loads of this source"))
        parser.add_argument(
            "--table", dest="target", metavar="TABLE", help=Text("only loads of this table, with its schema")
        )
        parser.add_argument(
            "--limit",
            type=whole_number,
            default=load_overview.DEFAULT_LIMIT,
            metavar="N",
            help=Text("maximum number of loads (default: {limit})", limit=load_overview.DEFAULT_LIMIT),
        )
        parser.add_argument(
            "--late-after",
            type=whole_number,
            default=load_overview.DEFAULT_LATE_HOURS,
            metavar="HOURS",
            help=Text(
                "age of a table's last load after which it is late (default: {hours})",
                hours=load_overview.DEFAULT_LATE_HOURS,
            ),
        )
        parser.add_argument(
            "--fail-on",
            action="append",
            choices=["failed", "stuck", "late"],
            default=[],
            help=Text(
                "exit with 1 if a load is failing, or pending without a process, or if a table is late; repeatable"
            ),
        )

    def run(self, options: Namespace) -> int | None:
        overview = load_overview.read_load_overview(
            source=options.source, table=options.target, limit=options.limit, late_hours=options.late_after
        )
        self.output.show(overview_document(overview), overview_blocks(overview))
        return EXIT_FAILED if overview.problems & set(options.fail_on) else None

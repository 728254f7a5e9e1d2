from argparse import Namespace

from django.core.management.base import CommandError, CommandParser

from seeder.domain.refresh_requests import SingleView
from seeder.domain.row_changes import MAX_SAMPLE_ROWS
from seeder.domain.view_names import ViewName
from seeder.management.base_command import EXIT_CANNOT_RUN, whole_number
from seeder.management.refresh_command import RefreshCommand
from seeder.texts import Text


class Command(RefreshCommand):
    help = Text("Refresh views, for all their enabled reports.")
    examples = (
        "reporting.stg_arrests",
        "reporting.a reporting.b --force",
        "reporting.a --show-changes 5",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "views",
            nargs="+",
            metavar="SCHEMA.TABLE",
            help=Text("""SQL name of a view: reporting.stg_arrests, '"Gotham PD"."Use of Force"'"""),
        )
        super().add_arguments(parser)
        parser.add_argument(
            "--show-changes",
            metavar="N",
            type=whole_number,
            help=Text(
                "store and print up to N updated, N inserted and N deleted rows, with old and new values"
                " (1 to {max_rows})",
                max_rows=MAX_SAMPLE_ROWS,
            ),
        )

    def build_requests(self, options: Namespace) -> list[SingleView]:
        if options.show_changes is not None and options.dry_run:
            message = Text("--show-changes needs a refresh, and --dry-run changes nothing. Give one of them.")
            raise CommandError(message, returncode=EXIT_CANNOT_RUN)
        narrows = options.select or options.exclude or options.failed or options.stale
        if options.show_changes is not None and (len(options.views) > 1 or narrows):
            message = Text("--show-changes is for one view. Give one name, without options that select views.")
            raise CommandError(message, returncode=EXIT_CANNOT_RUN)
        return [SingleView(name=ViewName.parse(view), max_changed_rows=options.show_changes) for view in options.views]

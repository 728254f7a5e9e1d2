from argparse import Namespace
from collections.abc import Iterator

from django.core.management.base import CommandError, CommandParser

from data_pipeline import conf
from data_pipeline.correction_errors import UndoRefused
from data_pipeline.management.rendering.refresh_text import dispatch_blocks
from data_pipeline.services.load_documents import optional_refresh_document
from data_pipeline.services.undoing import UndoneLoad, undo_load
from seeder.domain.human_format import format_count
from seeder.management.base_command import EXIT_FAILED, SeederCommand, whole_number
from seeder.management.rendering.command_output import Block
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Undo a load: remove the rows that it inserted, and restore those that it updated or deleted.")
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("load_id", metavar="LOAD", type=whole_number, help=Text("id of the load"))
        parser.add_argument(
            "--dry-run", action="store_true", help=Text("undo the load, show the result and roll it back")
        )
        parser.add_argument(
            "--force", action="store_true", help=Text("undo it although its rows were changed since, but not by a load")
        )

    def run(self, options: Namespace) -> int | None:
        try:
            undone = undo_load(options.load_id, actor=self.name, dry_run=options.dry_run, force=options.force)
        except UndoRefused as error:
            raise CommandError(str(error), returncode=EXIT_FAILED) from error
        document = {
            "loadId": undone.load_id,
            "table": str(undone.table),
            "dryRun": options.dry_run,
            "rowsRemoved": undone.rows.removed,
            "rowsRestored": undone.rows.restored,
            "rowsReinserted": undone.rows.reinserted,
            "refresh": optional_refresh_document(undone.refresh),
        }
        self.output.show(document, _blocks(undone, is_dry_run=options.dry_run))
        return EXIT_FAILED if undone.refresh and undone.refresh.failures else None


def _blocks(undone: UndoneLoad, *, is_dry_run: bool) -> Iterator[Block]:
    rows = undone.rows
    facts = {
        "table": undone.table,
        "load_id": undone.load_id,
        "rows": format_count(rows.removed, "row"),
        "restored": rows.restored,
        "reinserted": rows.reinserted,
    }
    if is_dry_run:
        yield Text(
            "{table}: load {load_id} would be undone: {rows} removed, {restored:,} restored, {reinserted:,} inserted"
            " again",
            **facts,
        )
    else:
        yield Text(
            "{table}: load {load_id} is undone: {rows} removed, {restored:,} restored, {reinserted:,} inserted again",
            **facts,
        )
    if undone.refresh:
        yield from dispatch_blocks(str(undone.table), undone.refresh)
    if not is_dry_run:
        yield Text("The file can be loaded again.")

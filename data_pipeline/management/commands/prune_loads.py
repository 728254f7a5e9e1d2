from argparse import Namespace
from collections.abc import Iterator

from django.core.management.base import CommandParser

from data_pipeline import conf
from data_pipeline.services.load_pruning import PrunedLoads, prune_loads
from seeder.domain.human_format import format_count
from seeder.management.base_command import SeederCommand, whole_number
from seeder.management.rendering.command_output import Block
from seeder.services import unix_signals
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Delete previous values too old for an undo, old failed loads, and old uploads. Successful loads stay.")
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days",
            type=whole_number,
            metavar="N",
            help=Text("days to keep failed loads and their rejects (default: DATA_PIPELINE_KEEP_LOADS_DAYS)"),
        )
        parser.add_argument("--dry-run", action="store_true", help=Text("count the rows and delete nothing"))

    def run(self, options: Namespace) -> int | None:
        with unix_signals.stop_on_signal() as stop:
            pruned = prune_loads(days=options.days, dry_run=options.dry_run, stop=stop)
        document = {
            "dryRun": options.dry_run,
            "undoDays": pruned.undo_days,
            "days": pruned.days,
            "changes": pruned.changes,
            "rejects": pruned.rejects,
            "loads": pruned.loads,
            "requests": pruned.requests,
            "uploads": pruned.uploads,
            "stoppedBy": pruned.stopped_by,
        }
        self.output.show(document, _blocks(pruned, is_dry_run=options.dry_run))
        return unix_signals.exit_code_of_signal(pruned.stopped_by) if pruned.stopped_by else None


def _blocks(pruned: PrunedLoads, *, is_dry_run: bool) -> Iterator[Block]:
    if pruned.stopped_by:
        yield Text("Stopped by {signal}. What was deleted stays deleted.", signal=pruned.stopped_by)
    values, uploads = format_count(pruned.changes, "previous value"), format_count(pruned.uploads, "upload")
    undo_days = format_count(pruned.undo_days, "day")
    if is_dry_run:
        yield Text("Would delete {values} of loads more than {days} ago.", values=values, days=undo_days)
    else:
        yield Text("Deleted {values} of loads more than {days} ago.", values=values, days=undo_days)
    if pruned.uploads and is_dry_run:
        yield Text("Would delete {uploads} that no request and no load needs.", uploads=uploads)
    elif pruned.uploads:
        yield Text("Deleted {uploads} that no request and no load needs.", uploads=uploads)
    if not pruned.days:
        yield Text("KEEP_LOADS_DAYS is 0, so failed loads and rejects are kept. Use --days to delete them.")
        return
    facts = {
        "loads": format_count(pruned.loads, "failed load"),
        "rejects": format_count(pruned.rejects, "closed reject"),
        "requests": format_count(pruned.requests, "ended request"),
        "days": format_count(pruned.days, "day"),
    }
    if is_dry_run:
        yield Text("Would delete {loads}, {rejects} and {requests} older than {days}.", **facts)
    else:
        yield Text("Deleted {loads}, {rejects} and {requests} older than {days}.", **facts)

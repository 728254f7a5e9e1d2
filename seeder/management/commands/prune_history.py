from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC
from time import monotonic

from django.core.management.base import CommandParser

from seeder.domain.human_format import format_count
from seeder.management.base_command import SeederCommand, whole_number
from seeder.management.rendering.command_output import Block
from seeder.services import history_pruning, unix_signals
from seeder.services.documents.document_fields import fields
from seeder.services.history_pruning import PruneResult
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Delete old history rows, except the last success and the last failure of every report.")
    output_formats = ("json",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=whole_number, metavar="N", help=Text("number of days to keep (default: SEEDER_HISTORY_DAYS)")
        )
        parser.add_argument("--dry-run", action="store_true", help=Text("count the rows and delete nothing"))
        parser.add_argument(
            "--batch",
            type=whole_number,
            default=history_pruning.DEFAULT_BATCH_ROWS,
            metavar="N",
            help=Text("number of rows in a transaction (default: {rows})", rows=history_pruning.DEFAULT_BATCH_ROWS),
        )

    def run(self, options: Namespace) -> int | None:
        started_at = monotonic()
        with unix_signals.stop_on_signal() as stop, self.output.show_progress(Text("rows")) as advance:
            result = history_pruning.prune(
                days=options.days, batch=options.batch, dry_run=options.dry_run, stop=stop, on_progress=advance
            )
        seconds = monotonic() - started_at
        counts = {"historyRows": "deleted_history", "runs": "deleted_runs", "queuedRefreshes": "deleted_parts"}
        document = {
            "dryRun": options.dry_run,
            **fields(result, "days", "stopped_by", **counts, before="cutoff", keptHistoryRows="kept_rows"),
            "durationSeconds": round(seconds, 6),
        }
        self.output.show(document, _result_blocks(result, seconds=seconds, dry_run=options.dry_run))
        return unix_signals.exit_code_of_signal(result.stopped_by) if result.stopped_by else None


def _result_blocks(result: PruneResult, *, seconds: float, dry_run: bool) -> Iterator[Block]:
    if result.cutoff is None:
        yield Text("SEEDER_HISTORY_DAYS is 0, so nothing is pruned. Use --days to prune.")
        return
    facts = {
        "rows": format_count(result.deleted_history, "row"),
        "runs": format_count(result.deleted_runs, "run"),
        "parts": format_count(result.deleted_parts, "part"),
        "cutoff": f"{result.cutoff.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
    }
    if dry_run:
        pruned = Text(
            "Would prune {rows} of the history, {runs} and {parts} of the queue that ended before {cutoff}", **facts
        )
    else:
        pruned = Text(
            "Pruned {rows} of the history, {runs} and {parts} of the queue that ended before {cutoff}", **facts
        )
    if result.stopped_by:
        remaining = format_count(result.old_rows - result.kept_rows - result.deleted_history, "row")
        yield Text(
            "Stopped by {signal} with {rows} left. {pruned}.", signal=result.stopped_by, rows=remaining, pruned=pruned
        )
    else:
        yield Text(
            "{pruned}, in {seconds:.1f} s. Kept {rows}: the last success and the last failure of each report.",
            pruned=pruned,
            seconds=seconds,
            rows=format_count(result.kept_rows, "row"),
        )

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


class Command(SeederCommand):
    help = "Delete old history rows, except the last success and the last failure of every report."
    output_formats = ("json",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=whole_number, metavar="N", help="number of days to keep (default: SEEDER_HISTORY_DAYS)"
        )
        parser.add_argument("--dry-run", action="store_true", help="count the rows and delete nothing")
        parser.add_argument(
            "--batch",
            type=whole_number,
            default=history_pruning.DEFAULT_BATCH_ROWS,
            metavar="N",
            help=f"number of rows in a transaction (default: {history_pruning.DEFAULT_BATCH_ROWS})",
        )

    def run(self, options: Namespace) -> int | None:
        started_at = monotonic()
        with unix_signals.stop_on_signal() as stop, self.output.show_progress("rows") as advance:
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
        yield "SEEDER_HISTORY_DAYS is 0, so nothing is pruned. Use --days to prune."
        return
    history = format_count(result.deleted_history, "row")
    queue = f"{format_count(result.deleted_runs, 'run')} and {format_count(result.deleted_parts, 'part')}"
    pruned = (
        f"{'Would prune' if dry_run else 'Pruned'} {history} of the history, {queue} of the queue"
        f" that ended before {result.cutoff.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    )
    if result.stopped_by:
        remaining = format_count(result.old_rows - result.kept_rows - result.deleted_history, "row")
        yield f"Stopped by {result.stopped_by} with {remaining} left. {pruned}."
    else:
        kept = format_count(result.kept_rows, "row")
        yield f"{pruned}, in {seconds:.1f} s. Kept {kept}: the last success and the last failure of each report."

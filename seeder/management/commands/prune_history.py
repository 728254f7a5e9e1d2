import json
import sys
from argparse import Namespace
from time import monotonic

from django.core.management.base import CommandParser

from seeder.management import unix_signals
from seeder.management.base_command import SeederCommand
from seeder.management.rendering.progress_display import create_progress_display
from seeder.management.rendering.pruning_summary import pruning_json, pruning_text
from seeder.services import history_pruning
from seeder.services.stop_signal import StopSignal


class Command(SeederCommand):
    help = "Delete what ended long ago, but for the last success and the last failure of every report."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=int, metavar="N", help="number of days to keep (default: SEEDER_HISTORY_DAYS)"
        )
        parser.add_argument("--dry-run", action="store_true", help="count what would be deleted, and delete nothing")
        parser.add_argument(
            "--batch",
            type=int,
            default=history_pruning.DEFAULT_BATCH_ROWS,
            metavar="N",
            help=f"rows that are deleted at once, in a transaction of their own ({history_pruning.DEFAULT_BATCH_ROWS})",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")

    def run(self, options: Namespace) -> None:
        started_at, stop = monotonic(), StopSignal()
        with (
            unix_signals.stop_on_signal(stop),
            create_progress_display(
                self.stdout, "rows", json=options.json, color=not options.no_color
            ) as progress_display,
        ):
            result = history_pruning.prune(
                days=options.days,
                batch=options.batch,
                dry_run=options.dry_run,
                stop=stop,
                on_progress=progress_display.advance,
            )
        seconds = monotonic() - started_at
        if options.json:
            document = pruning_json(result, seconds=seconds, dry_run=options.dry_run)
            self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            self.stdout.write(pruning_text(result, seconds=seconds, dry_run=options.dry_run))
        if result.stopped_by:
            sys.exit(unix_signals.exit_code_of_signal(result.stopped_by))

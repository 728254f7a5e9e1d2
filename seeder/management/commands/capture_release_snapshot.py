import json
import sys
from argparse import Namespace
from time import monotonic

from django.core.management.base import CommandParser

from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.domain.snapshots.snapshot_contents import Release, Snapshot
from seeder.domain.snapshots.snapshot_json import snapshot_json
from seeder.management import unix_signals
from seeder.management.base_command import EXIT_FAILED, SeederCommand
from seeder.management.rendering.progress_display import create_progress_display
from seeder.management.rendering.snapshot_lines import capture_result_text, capture_results_json, capture_text
from seeder.services.snapshots import bulk_capture, release_snapshots
from seeder.services.snapshots.bulk_capture import CaptureResult


class Command(SeederCommand):
    help = "Record the columns of a view and what they hold, once and for all, under a release tag."

    def add_arguments(self, parser: CommandParser) -> None:
        target = parser.add_mutually_exclusive_group(required=True)
        target.add_argument("--table-name", metavar="SCHEMA.TABLE", help="one view, as SQL names it")
        target.add_argument("--agency", metavar="SLUG", help="every view of one agency")
        target.add_argument("--all", action="store_true", help="every view")
        parser.add_argument("--release-tag", required=True, metavar="TAG", help="one snapshot of a view for each tag")
        parser.add_argument("--release-version", metavar="VERSION", help="for people; any text")
        parser.add_argument(
            "--top-values-columns", default="", metavar="A,B", help="columns whose most frequent values are recorded"
        )
        parser.add_argument(
            "--approximate", action="store_true", help="estimates from a sample of the server's, in a moment"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")

    def run(self, options: Namespace) -> None:
        columns = tuple(name.strip() for name in options.top_values_columns.split(",") if name.strip())
        started_at = monotonic()
        if options.table_name is not None:
            snapshot = self._capture_one(options, columns)
            text, document = f"{capture_text(snapshot)}, in {monotonic() - started_at:.1f} s", snapshot_json(snapshot)
            failed_count = 0
        else:
            results = self._capture_all(options, columns)
            failed_count = sum(one.snapshot is None for one in results)
            text = f"{len(results) - failed_count} captured, {failed_count} failed in {monotonic() - started_at:.1f} s"
            document = capture_results_json(results)
        self.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) if options.json else text)
        if failed_count:
            sys.exit(EXIT_FAILED)

    def _capture_one(self, options: Namespace, columns: tuple[str, ...]) -> Snapshot:
        with (
            unix_signals.interrupt_on_signal(),
            create_progress_display(
                self.stdout, "columns", json=options.json, color=not options.no_color
            ) as progress_display,
        ):
            return release_snapshots.capture_release_snapshot(
                options.table_name,
                options.release_tag,
                release_version=options.release_version,
                top_values_columns=columns,
                approximate=options.approximate,
                on_progress=progress_display.advance,
            )

    def _capture_all(self, options: Namespace, columns: tuple[str, ...]) -> list[CaptureResult]:
        with (
            unix_signals.interrupt_on_signal(),
            create_progress_display(
                self.stdout, "views", json=options.json, color=not options.no_color
            ) as progress_display,
        ):
            return bulk_capture.capture_all(
                AgencyReports(slug=options.agency) if options.agency is not None else AllReports(),
                Release(tag=options.release_tag, version=options.release_version),
                top_values_columns=frozenset(columns),
                approximate=options.approximate,
                on_progress=lambda one, number, total: progress_display.advance(
                    number, total, capture_result_text(one)
                ),
            )

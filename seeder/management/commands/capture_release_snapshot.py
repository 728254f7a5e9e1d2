from argparse import Namespace
from time import monotonic

from django.core.management.base import CommandParser

from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.domain.snapshots.snapshot_contents import Release
from seeder.management.base_command import EXIT_FAILED, SeederCommand
from seeder.management.rendering.snapshot_text import capture_result_text, capture_text
from seeder.services import unix_signals
from seeder.services.documents.snapshot_documents import capture_results_document, snapshot_document
from seeder.services.snapshots import bulk_capture, release_snapshots
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Record the columns of a view and their statistics under a release tag. A snapshot never changes.")
    output_formats = ("json",)

    def add_arguments(self, parser: CommandParser) -> None:
        target = parser.add_mutually_exclusive_group(required=True)
        target.add_argument("--table-name", metavar="SCHEMA.TABLE", help=Text("one view, by its SQL name"))
        target.add_argument("--agency", metavar="SLUG", help=Text("every view of one agency"))
        target.add_argument("--all", action="store_true", help=Text("every view"))
        parser.add_argument("--release-tag", required=True, metavar="TAG", help=Text("tag, unique for each view"))
        parser.add_argument("--release-version", metavar="VERSION", help=Text("free text for readers"))
        parser.add_argument(
            "--top-values-columns",
            default="",
            metavar="A,B",
            help=Text("columns whose most frequent values are recorded"),
        )
        parser.add_argument(
            "--approximate",
            action="store_true",
            help=Text("estimate from the server's sample (default: count exactly)"),
        )

    def run(self, options: Namespace) -> int | None:
        columns = tuple(name.strip() for name in options.top_values_columns.split(",") if name.strip())
        started_at, failed_count = monotonic(), 0
        if options.table_name is not None:
            with unix_signals.interrupt_on_signal(), self.output.show_progress(Text("columns")) as advance:
                snapshot = release_snapshots.capture_release_snapshot(
                    options.table_name,
                    options.release_tag,
                    release_version=options.release_version,
                    top_values_columns=columns,
                    approximate=options.approximate,
                    on_progress=advance,
                )
            text, document = Text.joined([capture_text(snapshot), ","], ""), snapshot_document(snapshot)
        else:
            with unix_signals.interrupt_on_signal(), self.output.show_progress(Text("views")) as advance:
                results = bulk_capture.capture_all(
                    AgencyReports(slug=options.agency) if options.agency is not None else AllReports(),
                    Release(tag=options.release_tag, version=options.release_version),
                    top_values_columns=frozenset(columns),
                    approximate=options.approximate,
                    on_progress=lambda result, number, total: advance(number, total, capture_result_text(result)),
                )
            failed_count = sum(result.snapshot is None for result in results)
            text = Text(
                "{captured} captured, {failed} failed", captured=len(results) - failed_count, failed=failed_count
            )
            document = capture_results_document(results)
        line = Text("{result} in {seconds:.1f} s", result=text, seconds=monotonic() - started_at)
        self.output.show(document, [line])
        return EXIT_FAILED if failed_count else None

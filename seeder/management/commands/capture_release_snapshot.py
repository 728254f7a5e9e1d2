import json
import sys
from argparse import Namespace
from time import monotonic

from django.core.management.base import CommandParser

from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.domain.snapshots.snapshot_contents import Release, Snapshot
from seeder.domain.snapshots.snapshot_json import snapshot_json
from seeder.management import signals
from seeder.management.door import FAILED, Door
from seeder.management.rendering.progress import progress
from seeder.management.rendering.snapshots import captured, each_as_document, ending
from seeder.services.snapshots import capturing, release_snapshots
from seeder.services.snapshots.capturing import Captured


class Command(Door):
    help = "Record the columns of a view and what they hold, once and for all, under a release tag."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--table-name", metavar="SCHEMA.TABLE", help="one view, as SQL names it")
        what.add_argument("--agency", metavar="SLUG", help="every view of one agency")
        what.add_argument("--all", action="store_true", help="every view")
        parser.add_argument("--release-tag", required=True, metavar="TAG", help="one snapshot of a view for each tag")
        parser.add_argument("--release-version", metavar="VERSION", help="for people; any text")
        parser.add_argument(
            "--top-values-columns", default="", metavar="A,B", help="columns whose most frequent values are recorded"
        )
        parser.add_argument(
            "--approximate", action="store_true", help="estimates from a sample of the server's, in a moment"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")

    def enter(self, options: Namespace) -> None:
        columns = tuple(name.strip() for name in options.top_values_columns.split(",") if name.strip())
        began = monotonic()
        if options.table_name is not None:
            snapshot = self._one(options, columns)
            text, document = f"{captured(snapshot)}, in {monotonic() - began:.1f} s", snapshot_json(snapshot)
            failed = 0
        else:
            ended = self._each(options, columns)
            failed = sum(one.snapshot is None for one in ended)
            text = f"{len(ended) - failed} captured, {failed} failed in {monotonic() - began:.1f} s"
            document = each_as_document(ended)
        self.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) if options.json else text)
        if failed:
            sys.exit(FAILED)

    def _one(self, options: Namespace, columns: tuple[str, ...]) -> Snapshot:
        with (
            signals.as_an_interrupt(),
            progress(self.stdout, "columns", json=options.json, color=not options.no_color) as shown,
        ):
            return release_snapshots.capture_release_snapshot(
                options.table_name,
                options.release_tag,
                release_version=options.release_version,
                top_values_columns=columns,
                approximate=options.approximate,
                tell=shown.done,
            )

    def _each(self, options: Namespace, columns: tuple[str, ...]) -> list[Captured]:
        with (
            signals.as_an_interrupt(),
            progress(self.stdout, "views", json=options.json, color=not options.no_color) as shown,
        ):
            return capturing.capture_each(
                AgencyReports(slug=options.agency) if options.agency is not None else AllReports(),
                Release(tag=options.release_tag, version=options.release_version),
                top=frozenset(columns),
                approximate=options.approximate,
                tell=lambda one, number, total: shown.done(number, total, ending(one)),
            )

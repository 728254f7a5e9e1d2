import json
import sys
from argparse import Namespace
from time import monotonic

from django.core.management.base import CommandParser

from seeder.domain.requests import Everything, OneAgency
from seeder.domain.snapshots import Release, Snapshot
from seeder.management.door import FAILED, Door
from seeder.management.rendering.snapshots import as_document, captured
from seeder.services import capturing, release_snapshots


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
        if options.table_name is not None:
            self._one(options, columns)
        else:
            self._each(options, columns)

    def _one(self, options: Namespace, columns: tuple[str, ...]) -> None:
        began = monotonic()
        snapshot = release_snapshots.capture_release_snapshot(
            options.table_name,
            options.release_tag,
            release_version=options.release_version,
            top_values_columns=columns,
            approximate=options.approximate,
            tell=lambda column: self._tell(f"{column}: counted after {monotonic() - began:.1f} s", options),
        )
        self._show([snapshot], options, took=monotonic() - began)

    def _each(self, options: Namespace, columns: tuple[str, ...]) -> None:
        began = monotonic()

        def tell(one: capturing.Captured, number: int, total: int) -> None:
            what = captured(one.snapshot) if one.snapshot else f"{one.table_name}: not captured. {one.error}"
            self._tell(f"{number} of {total}: {what}", options)

        ended = capturing.capture_each(
            OneAgency(slug=options.agency) if options.agency is not None else Everything(),
            Release(tag=options.release_tag, version=options.release_version),
            top=frozenset(columns),
            approximate=options.approximate,
            tell=tell,
        )
        snapshots = [one.snapshot for one in ended if one.snapshot]
        failed = {one.table_name: one.error for one in ended if one.error}
        if options.json:
            document = {"captured": [as_document(snapshot) for snapshot in snapshots], "failed": failed}
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=2))
        else:
            self.stdout.write(f"{len(snapshots)} captured, {len(failed)} failed in {monotonic() - began:.1f} s")
        if failed:
            sys.exit(FAILED)

    def _show(self, snapshots: list[Snapshot], options: Namespace, *, took: float) -> None:
        for snapshot in snapshots:
            if options.json:
                self.stdout.write(json.dumps(as_document(snapshot), ensure_ascii=False, indent=2))
            else:
                self.stdout.write(f"{captured(snapshot)}; took {took:.1f} s")

    def _tell(self, line: str, options: Namespace) -> None:
        if not options.json:
            self.stdout.write(line)
            self.stdout.flush()

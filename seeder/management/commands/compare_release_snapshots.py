import json
import sys
from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.domain.snapshots.drift_rules import Severity
from seeder.domain.snapshots.snapshot_contents import Snapshot
from seeder.domain.snapshots.snapshot_json import comparison_json
from seeder.errors import UnknownSnapshot
from seeder.management.base_command import EXIT_FAILED, SeederCommand
from seeder.management.rendering.snapshot_lines import comparison_lines
from seeder.services.snapshots import release_snapshots


class Command(SeederCommand):
    help = "Say what is different between two release snapshots of a view, and how much that matters."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("base", metavar="BASE", help="the id of the earlier snapshot; with --table-name, its tag")
        parser.add_argument("compare", metavar="COMPARE", help="the id, or the tag, of the later one")
        parser.add_argument("--table-name", metavar="SCHEMA.TABLE", help="the view whose tags are meant")
        parser.add_argument(
            "--fail-on",
            choices=["notice", "breaking"],
            help="exit with 1 if a difference is at or above this severity",
        )
        parser.add_argument("--across-views", action="store_true", help="compare snapshots of two different views")
        parser.add_argument("--everything", action="store_true", help="also show expected differences")
        parser.add_argument("--json", action="store_true", help="print one JSON document, with everything")

    def run(self, options: Namespace) -> None:
        base, other = (self._find_snapshot(which, options.table_name) for which in (options.base, options.compare))
        comparison = release_snapshots.compare_snapshots(base, other, across_views=options.across_views)
        if options.json:
            self.stdout.write(json.dumps(comparison_json(comparison), ensure_ascii=False, indent=2))
        else:
            styles = {Severity.BREAKING: self.style.ERROR, Severity.NOTICE: self.style.WARNING}
            for line, severity in comparison_lines(comparison, show_all=options.everything):
                self.stdout.write(styles.get(severity, str)(line))
        if options.fail_on and comparison.severity >= Severity[options.fail_on.upper()]:
            sys.exit(EXIT_FAILED)

    @staticmethod
    def _find_snapshot(id_or_tag: str, table_name: str | None) -> Snapshot:
        if table_name is not None:
            return release_snapshots.find_by_tag(table_name, id_or_tag)
        if not (id_or_tag.isascii() and id_or_tag.isdigit() and len(id_or_tag) < 20):
            raise UnknownSnapshot(identity=f"with the id {id_or_tag!r}. With --table-name, tags can be compared")
        return release_snapshots.find_snapshot(int(id_or_tag))

from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.domain.snapshots.drift_rules import Severity
from seeder.domain.snapshots.snapshot_contents import Snapshot
from seeder.errors import UnknownSnapshot
from seeder.management.base_command import EXIT_FAILED, SeederCommand
from seeder.management.rendering.snapshot_text import comparison_blocks
from seeder.services.documents.snapshot_documents import comparison_document
from seeder.services.snapshots import release_snapshots
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Show the differences between two release snapshots of a view, with their severity.")
    output_formats = ("json",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "base", metavar="BASE", help=Text("id of the earlier snapshot, or its tag with --table-name")
        )
        parser.add_argument("compare", metavar="COMPARE", help=Text("id or tag of the later snapshot"))
        parser.add_argument(
            "--table-name", metavar="SCHEMA.TABLE", help=Text("compare snapshots of this view by their tags")
        )
        parser.add_argument(
            "--fail-on",
            choices=["notice", "breaking"],
            help=Text("exit with 1 if a difference is at or above this severity"),
        )
        parser.add_argument(
            "--across-views", action="store_true", help=Text("compare snapshots of two different views")
        )
        parser.add_argument("--everything", action="store_true", help=Text("also show expected differences"))

    def run(self, options: Namespace) -> int | None:
        base, other = (self._find_snapshot(name, options.table_name) for name in (options.base, options.compare))
        comparison = release_snapshots.compare_snapshots(base, other, across_views=options.across_views)
        blocks = comparison_blocks(comparison, show_all=options.everything)
        self.output.show(comparison_document(comparison), blocks)
        is_failed = options.fail_on and comparison.severity >= Severity[options.fail_on.upper()]
        return EXIT_FAILED if is_failed else None

    @staticmethod
    def _find_snapshot(id_or_tag: str, table_name: str | None) -> Snapshot:
        if table_name is not None:
            return release_snapshots.find_by_tag(table_name, id_or_tag)
        if not (id_or_tag.isascii() and id_or_tag.isdigit() and len(id_or_tag) < 20):
            identity = Text("with the id {id!r}. With --table-name, tags can be compared", id=id_or_tag)
            raise UnknownSnapshot(identity=identity)
        return release_snapshots.find_snapshot(int(id_or_tag))

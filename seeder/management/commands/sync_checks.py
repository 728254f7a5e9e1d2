from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from django.core.management.base import CommandParser
from django.db import DEFAULT_DB_ALIAS

from seeder.domain.data_checks.definitions import CheckDefinition
from seeder.management.base_command import SeederCommand
from seeder.management.rendering.command_output import Block
from seeder.services.data_checks import check_sync
from seeder.services.data_checks.check_sync import CheckSync
from seeder.services.documents.data_check_documents import sync_document


class Command(SeederCommand):
    help = "Make the data checks of a source those of a YAML file. Other checks do not change."
    output_formats = ("json",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="YAML file with the checks of views")
        parser.add_argument("--dry-run", action="store_true", help="print what would change, and change nothing")
        parser.add_argument(
            "--source", metavar="NAME", help="name that marks the checks of this file (default: the file's name)"
        )
        parser.add_argument(
            "--database",
            default=DEFAULT_DB_ALIAS,
            metavar="ALIAS",
            help="database of the views (default: default)",
        )

    def run(self, options: Namespace) -> None:
        result = check_sync.sync_checks(
            options.file,
            source=options.source,
            database=options.database,
            updated_by=self.name,
            dry_run=options.dry_run,
        )
        document = {"dryRun": options.dry_run, **sync_document(result)}
        self.output.show(document, _blocks(result, dry_run=options.dry_run))


def _blocks(result: CheckSync, *, dry_run: bool) -> Iterator[Block]:
    changes, would = result.changes, "would be " if dry_run else ""
    yield from (f"{would}added: {_name(one)} ({one.kind}, {one.severity})" for one in changes.added)
    yield from (f"{would}changed: {_name(one.new)} ({', '.join(one.fields)})" for one in changes.changed)
    yield from (f"{would}removed: {_name(one)}" for one in changes.removed)
    yield from (f"{would}taken over by {result.source}: {_name(one)}" for one in result.taken_over)
    yield from ((f"no manifest names {view}, so its checks never run", "yellow") for view in result.unknown_views)
    counts = f"{len(changes.added)} {would}added, {len(changes.changed)} {would}changed"
    yield f"{counts}, {len(changes.removed)} {would}removed, {changes.unchanged} unchanged"


def _name(one: CheckDefinition) -> str:
    return f"{one.view} {one.name}"

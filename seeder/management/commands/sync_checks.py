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
from seeder.texts import Text

_DONE = Text("added"), Text("changed"), Text("removed")
_PLANNED = Text("would be added"), Text("would be changed"), Text("would be removed")

_UNCHANGED = Text.counted_in_context("checks", "{number:,} unchanged", "{number:,} unchanged", 0)
_DONE_COUNTS = (
    Text.counted_in_context("checks", "{number:,} added", "{number:,} added", 0),
    Text.counted_in_context("checks", "{number:,} changed", "{number:,} changed", 0),
    Text.counted_in_context("checks", "{number:,} removed", "{number:,} removed", 0),
    _UNCHANGED,
)
_PLANNED_COUNTS = (
    Text.counted_in_context("checks", "{number:,} would be added", "{number:,} would be added", 0),
    Text.counted_in_context("checks", "{number:,} would be changed", "{number:,} would be changed", 0),
    Text.counted_in_context("checks", "{number:,} would be removed", "{number:,} would be removed", 0),
    _UNCHANGED,
)


class Command(SeederCommand):
    help = Text("Make the data checks of a source those of a YAML file. Other checks do not change.")
    output_formats = ("json",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help=Text("YAML file with the checks of views"))
        parser.add_argument("--dry-run", action="store_true", help=Text("print what would change, and change nothing"))
        parser.add_argument(
            "--source", metavar="NAME", help=Text("name that marks the checks of this file (default: the file's name)")
        )
        parser.add_argument(
            "--database",
            default=DEFAULT_DB_ALIAS,
            metavar="ALIAS",
            help=Text("database of the views (default: default)"),
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
    changes = result.changes
    added, changed, removed = _PLANNED if dry_run else _DONE
    taken_over = Text("taken over by {source}", source=result.source)
    if dry_run:
        taken_over = Text("would be taken over by {source}", source=result.source)
    yield from (_line(added, f"{_name(one)} ({one.kind}, {one.severity})") for one in changes.added)
    yield from (_line(changed, f"{_name(one.new)} ({', '.join(one.fields)})") for one in changes.changed)
    yield from (_line(removed, _name(one)) for one in changes.removed)
    yield from (_line(taken_over, _name(one)) for one in result.taken_over)
    for view in result.unknown_views:
        yield Text("no manifest names {view}, so its checks never run", view=view), "yellow"
    numbers = len(changes.added), len(changes.changed), len(changes.removed), changes.unchanged
    counts = _PLANNED_COUNTS if dry_run else _DONE_COUNTS
    yield Text.joined(text.with_number(number) for text, number in zip(counts, numbers, strict=True))


def _line(word: Text, checks: str) -> Text:
    return Text.joined([word, checks], ": ")


def _name(one: CheckDefinition) -> str:
    return f"{one.view} {one.name}"

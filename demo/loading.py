"""Loads the demo into a database with the contract tables: source tables, their rows, and the manifests.

All changes are one transaction. A second load compares the number of rows with the files and keeps the rows.
"""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from django.db import transaction
from psycopg import sql

from demo import manifests
from demo.agencies import DEMO_FOLDER, read_catalogue
from demo.datasets import DATASETS, Dataset, records_of

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

# Otherwise two simultaneous loads would both find the tables empty. The key is arbitrary.
LOCK_LOAD = "SELECT pg_advisory_xact_lock(hashtextextended('demo.loading', 0))"


class DemoError(Exception):
    """The demo cannot be loaded into this database. The message says what to do."""


@dataclass(frozen=True, kw_only=True)
class TableLoad:
    table: str  # with its schema
    rows: int
    loaded: bool  # False if they already existed


@dataclass(frozen=True, kw_only=True)
class LoadSummary:
    tables: tuple[TableLoad, ...]
    custom_reports: int
    canned_reports: int
    subscriptions: int
    manifest_rows_written: int  # inserted or corrected

    @property
    def rows_loaded(self) -> int:
        return sum(table.rows for table in self.tables if table.loaded)

    @property
    def changed(self) -> bool:
        return self.rows_loaded > 0 or self.manifest_rows_written > 0


def load(connection: "BaseDatabaseWrapper") -> LoadSummary:
    """Load missing tables and rows in one transaction.

    Raises `UnreadableFileError` for an invalid file, or `DemoError` for a database that is not ready.
    """
    catalogue = read_catalogue()
    with transaction.atomic(using=connection.alias), connection.cursor() as django_cursor:
        cursor = django_cursor.cursor  # psycopg's cursor: Django's debug wrapper accepts no composed statement
        if missing := manifests.missing_tables(cursor):
            raise DemoError(f"There is no table {missing[0]}: install the reporting schema first, then load the demo.")
        cursor.execute(LOCK_LOAD)
        cursor.execute((DEMO_FOLDER / "sources.sql").read_text(encoding="utf-8"))
        tables = tuple(_load_table(cursor, dataset) for dataset in DATASETS)
        written = manifests.upsert_manifests(cursor, catalogue)
    return LoadSummary(
        tables=tables,
        custom_reports=len(catalogue.custom),
        canned_reports=len(catalogue.canned),
        subscriptions=len(catalogue.subscriptions),
        manifest_rows_written=written,
    )


def _load_table(cursor: Any, dataset: Dataset) -> TableLoad:
    table = sql.Identifier("records", dataset.table)
    records = list(records_of(dataset))
    cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(table))
    present = cursor.fetchone()[0]
    if present == 0:
        columns = [field.name for field in fields(dataset.record)]
        copy = sql.SQL("COPY {} ({}) FROM STDIN").format(table, sql.SQL(", ").join(map(sql.Identifier, columns)))
        with cursor.copy(copy) as rows:
            for record in records:
                rows.write_row([getattr(record, column) for column in columns])
    elif present != len(records):
        raise DemoError(
            f"records.{dataset.table} has {present} rows, {dataset.file} has {len(records)}: the table was changed."
            " Drop the schema records and its dependents (DROP SCHEMA records CASCADE), then load the demo."
        )
    return TableLoad(table=f"records.{dataset.table}", rows=len(records), loaded=present == 0)

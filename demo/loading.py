"""Puts the demo into a database that has the contract tables: source tables, their rows, and the manifests.

Everything happens in one transaction, so there is no half a demo. A second load finds the rows it brought, compares
their number with the files and leaves them alone.
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

# Two loads at once would both find the tables empty. The key is arbitrary; the lock ends with the transaction.
LOCK_LOAD = "SELECT pg_advisory_xact_lock(hashtextextended('demo.loading', 0))"


class DemoError(Exception):
    """The demo cannot be loaded into this database; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class TableLoad:
    table: str  # with its schema
    rows: int
    loaded: bool  # False: they were there already


@dataclass(frozen=True, kw_only=True)
class LoadSummary:
    tables: tuple[TableLoad, ...]
    custom_reports: int
    canned_reports: int
    subscriptions: int
    manifest_rows_written: int  # inserted or corrected; 0 when all were as they should be

    @property
    def rows_loaded(self) -> int:
        return sum(table.rows for table in self.tables if table.loaded)

    @property
    def changed(self) -> bool:
        return self.rows_loaded > 0 or self.manifest_rows_written > 0


def load(connection: "BaseDatabaseWrapper") -> LoadSummary:
    """Load what is missing, in one transaction.

    Raises UnreadableFileError for a file that does not say what it should, DemoError for a database that is not ready.
    """
    catalogue = read_catalogue()
    with transaction.atomic(using=connection.alias), connection.cursor() as django_cursor:
        cursor = django_cursor.cursor  # psycopg's own: Django's debugging wrapper takes no composed statement
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
            f"records.{dataset.table} holds {present} rows, {dataset.file} gives {len(records)}: somebody changed the "
            "table. Drop the schema records with all that reads it (DROP SCHEMA records CASCADE), then load the demo."
        )
    return TableLoad(table=f"records.{dataset.table}", rows=len(records), loaded=present == 0)

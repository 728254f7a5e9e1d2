"""The demo's rows in the three contract tables, which each load updates from agencies.toml and reports/.

Only ids of the demo are changed, and no row is deleted: a database keeps manifests that agencies.toml no longer has.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import sql

from demo.agencies import Catalogue

DATABASE_ID = 1  # SEEDER['DATABASES'] maps it to an alias

CUSTOM, CANNED, SUBSCRIPTIONS = (
    "seeder_custom_report_manifest",
    "seeder_canned_report",
    "seeder_canned_report_manifest",
)


def missing_tables(cursor: Any) -> tuple[str, ...]:
    """Return the contract tables that the database lacks."""
    missing = []
    for table in (CUSTOM, CANNED, SUBSCRIPTIONS):
        cursor.execute("SELECT to_regclass(%s) IS NULL", [f"reporting.{table}"])
        if cursor.fetchone()[0]:
            missing.append(f"reporting.{table}")
    return tuple(missing)


def upsert_manifests(cursor: Any, catalogue: Catalogue) -> int:
    """Insert missing rows, correct different ones, and return the number of changed rows."""
    return sum(_upsert(cursor, table, row) for table, rows in rows_of(catalogue).items() for row in rows)


def rows_of(catalogue: Catalogue) -> Mapping[str, Sequence[Mapping[str, object]]]:
    """Return the rows of each contract table. Canned reports precede their subscriptions."""
    return {
        CUSTOM: [
            {
                "id": report.id,
                "table_name": report.table_name,
                "report_name": report.report_name,
                "agency_id": report.agency.id,
                "agency_slug": report.agency.slug,
                "query": report.query,
                "database_id": DATABASE_ID,
                "enabled": report.enabled,
            }
            for report in catalogue.custom
        ],
        CANNED: [
            {
                "id": report.id,
                "table_name": report.table_name,
                "report_name": report.report_name,
                "query": report.query,
                "database_id": DATABASE_ID,
            }
            for report in catalogue.canned
        ],
        SUBSCRIPTIONS: [
            {
                "id": subscription.id,
                "agency_id": subscription.agency.id,
                "agency_slug": subscription.agency.slug,
                "canned_report_id": subscription.canned_report.id,
            }
            for subscription in catalogue.subscriptions
        ],
    }


def _upsert(cursor: Any, table: str, row: Mapping[str, object]) -> int:
    statement = sql.SQL(
        "INSERT INTO {table} AS present ({columns}) VALUES ({values})"
        " ON CONFLICT (id) DO UPDATE SET ({columns}) = ROW ({excluded})"
        " WHERE ({present}) IS DISTINCT FROM ({excluded})"
    ).format(
        table=sql.Identifier("reporting", table),
        columns=_column_list(row),
        values=sql.SQL(", ").join(map(sql.Placeholder, row)),
        present=_column_list(row, of="present"),
        excluded=_column_list(row, of="excluded"),
    )
    cursor.execute(statement, row)
    return int(cursor.rowcount)


def _column_list(columns: Iterable[str], *, of: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(of, column) if of else sql.Identifier(column) for column in columns)

"""The list of manifests: pages, agencies, and drift without a query for each row."""

from typing import Any

import psycopg
import pytest

from seeder.domain.manifests import ReportType
from seeder.domain.refresh_requests import AllReports
from seeder.models import CannedReport
from seeder.services.read_models import manifest_list
from seeder.services.read_models.keyset_pagination import Cursor, fetch_page
from seeder.services.read_models.manifest_list import DriftState, ListedManifest, ManifestFilter
from seeder.services.run import orchestrator
from tests.conftest import create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")

EVERYTHING = ManifestFilter(agencies=None)


def listed(wanted: ManifestFilter = EVERYTHING, size: int = 50) -> list[ListedManifest]:
    """Return the manifests of all pages."""
    rows: list[ListedManifest] = []
    cursor: Cursor | None = None
    while True:
        parts = manifest_list.manifest_positions(wanted)
        page = fetch_page(parts, manifest_list.PAGE_ORDER, cursor, max_rows=size)
        rows += manifest_list.manifests_at([row.position for row in page.rows])
        cursor = page.next
        if cursor is None:
            return rows


def names(rows: list[ListedManifest]) -> list[tuple[str, str]]:
    return [(row.manifest.report_type, f"{row.manifest.agency_slug} {row.manifest.table_name}") for row in rows]


def create_rows() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n", agency="metro", enabled=False)
    create_canned_report("reporting.c", "SELECT 2 AS n", agencies=("demo", "metro", "harbor"))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 50])
def test_pages_have_every_manifest_once(size: int) -> None:
    create_rows()
    assert names(listed(size=size)) == [
        ("custom", "demo reporting.a"),
        ("custom", "metro reporting.b"),
        ("canned", "demo reporting.c"),
        ("canned", "metro reporting.c"),
        ("canned", "harbor reporting.c"),
    ]


def test_manifests_of_other_agencies_are_not_listed() -> None:
    create_rows()
    assert [row.manifest.agency_slug for row in listed(ManifestFilter(agencies=["metro"]))] == ["metro", "metro"]
    assert listed(ManifestFilter(agencies=[])) == []
    assert names(listed(ManifestFilter(agencies=["demo"], report_types=[ReportType.CANNED]))) == [
        ("canned", "demo reporting.c")
    ]


def test_drift_of_each_manifest_is_that_of_the_plan() -> None:
    create_rows()
    create_custom_manifest("reporting.d", "SELECT n FROM reporting.source")
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    orchestrator.execute_run(AllReports())
    CannedReport.objects.update(query="SELECT 3 AS n")
    sql("ALTER TABLE reporting.source RENAME n TO m")
    create_custom_manifest("not a name", "SELECT 1 AS n")
    found = {row.manifest.table_name: row for row in listed()}
    assert {name: row.drift.state for name, row in found.items()} == {
        "reporting.a": DriftState.NONE,
        "reporting.b": DriftState.MISSING,
        "reporting.c": DriftState.DIFFERENT,
        "reporting.d": DriftState.REFUSED,
        "not a name": DriftState.UNKNOWN,
    }
    assert found["reporting.d"].drift.cause == 'column "n" does not exist'
    last = found["reporting.a"].last_refresh
    assert (last and last.status, found["reporting.b"].last_refresh) == ("success", None)


def test_subscription_to_a_missing_report_is_listed() -> None:
    create_canned_report("reporting.c", "SELECT 2 AS n", agencies=("demo",))
    CannedReport.objects.all().delete()
    [row] = listed()
    assert (row.manifest.report_name, row.database_id, row.drift.state) == ("canned report 1", None, DriftState.UNKNOWN)


def test_page_of_many_manifests_takes_as_many_queries_as_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def count(cursor: "psycopg.Cursor[Any]", query: Any, *arguments: Any, **options: Any) -> Any:
        text = query if isinstance(query, str) else query.as_string()
        if not text.startswith("CREATE VIEW"):  # of all manifests in one round trip
            statements.append(text)
        return execute(cursor, query, *arguments, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", count)
    counts = []
    for number in (2, 20):
        for position in range(number):
            name = f"reporting.v{number}_{position}"
            create_custom_manifest(name, f"SELECT {position} AS n")
            sql(f"CREATE MATERIALIZED VIEW {name} AS SELECT {position} AS n")
        statements.clear()
        assert {row.drift.state for row in listed()} == {DriftState.NONE}
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert 5 < counts[0] < 25

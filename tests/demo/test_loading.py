"""The demo in a database: loaded once, then refreshed."""

import re
from collections.abc import Callable
from dataclasses import fields

import pytest
from django.db import connection

from demo.agencies import read_catalogue
from demo.datasets import DATASETS
from demo.loading import DemoError, load
from seeder.domain.view_names import ViewName
from seeder.models import CustomReportManifest, JobStatus, RunHistory
from tests.conftest import CompletedCommand, sql

pytestmark = pytest.mark.slow

VIEWS = 20  # of the 21 reports, the one of gotham is disabled


@pytest.mark.usefixtures("contract_tables")
def test_load_inserts_every_row_once() -> None:
    first = load(connection)
    assert {table.table: table.rows for table in first.tables} == {
        "records.nypd_hate_crimes": 2200,
        "records.nypd_hate_crime_arrests": 987,
        "records.maryland_crimes": 1104,
        "records.us_estimated_crimes": 2116,
        "records.us_juvenile_arrests": 690,
        "records.berlin_crimes": 1200,
    }
    assert first.manifest_rows_written == 28
    second = load(connection)
    assert not second.changed
    for table in second.tables:
        assert sql(f"SELECT count(*) FROM {table.table}") == [(table.rows,)]


@pytest.mark.usefixtures("contract_tables")
def test_edited_demo_manifest_is_corrected_and_others_are_kept() -> None:
    load(connection)
    CustomReportManifest.objects.filter(pk=90001).update(query="SELECT 1")
    other = CustomReportManifest.objects.create(
        table_name="mine", report_name="Mine", agency_id=9, agency_slug="mine", query="SELECT 1", database_id=1
    )
    assert load(connection).manifest_rows_written == 1
    other.refresh_from_db()
    assert other.query == "SELECT 1"


@pytest.mark.usefixtures("contract_tables")
def test_changed_records_are_not_overwritten() -> None:
    load(connection)
    sql("DELETE FROM records.maryland_crimes WHERE ctid IN (SELECT ctid FROM records.maryland_crimes LIMIT 4)")
    with pytest.raises(DemoError, match="has 1100 rows, .* has 1104"):
        load(connection)


@pytest.mark.usefixtures("bare_database")
def test_load_without_the_contract_is_refused() -> None:
    with pytest.raises(DemoError, match="install the reporting schema first"):
        load(connection)
    assert sql("SELECT to_regnamespace('records')") == [(None,)]


@pytest.mark.usefixtures("contract_tables")
def test_fields_match_columns_and_tables_name_their_source() -> None:
    load(connection)
    for dataset in DATASETS:
        columns = {
            name
            for (name,) in sql(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'records' AND table_name = %s",
                dataset.table,
            )
        }
        assert columns == {field.name for field in fields(dataset.record)}
        [(comment,)] = sql("SELECT obj_description(%s::regclass)", f"records.{dataset.table}")
        assert comment


@pytest.mark.usefixtures("contract_tables")
def test_views_are_created_and_then_refreshed_in_place(
    manage: Callable[..., CompletedCommand],
) -> None:
    assert manage("load_demo").exit_code == 0
    created = manage("refresh_all", "--json")
    assert created.exit_code == 0
    assert {view["outcome"] for view in created.document["views"]} == {"created"}
    assert len(created.document["views"]) == VIEWS
    oids = sql("SELECT relname, oid FROM pg_class WHERE relkind = 'm' ORDER BY oid")
    refreshed = manage("refresh_all", "--json")
    assert {view["outcome"] for view in refreshed.document["views"]} == {"refreshed"}
    assert sql("SELECT relname, oid FROM pg_class WHERE relkind = 'm' ORDER BY oid") == oids
    assert all(view["recordsProcessed"] > 0 for view in refreshed.document["views"])
    last = RunHistory.objects.filter(run_id=refreshed.document["runId"])
    assert last.filter(table_name="reporting.us_crime_rate_trend", status="success").count() == 3
    assert set(JobStatus.objects.values_list("status", "consecutive_failures")) == {("success", 0)}


@pytest.mark.usefixtures("contract_tables")
def test_documented_key_of_each_report_is_unique(manage: Callable[..., CompletedCommand]) -> None:
    """A unique index on these columns allows concurrent refreshes."""
    assert manage("load_demo").exit_code == 0
    assert manage("refresh_all").exit_code == 0
    catalogue = read_catalogue()
    enabled = [(report.table_name, report.query) for report in catalogue.custom if report.enabled]
    canned = [(report.table_name, report.query) for report in catalogue.canned]
    assert len(enabled + canned) == VIEWS
    for table_name, query in enabled + canned:
        found = re.search(r"One row per \(([^)]+)\)", query)
        assert found, table_name
        [(view,)] = sql(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'm' AND relname = %s",
            ViewName.parse(table_name).name,
        )
        rows, keys, nulls = sql(
            f"SELECT count(*), count(DISTINCT ({found[1]})), count(*) FILTER (WHERE ({found[1]}) IS NULL) FROM {view}"
        )[0]
        assert rows == keys, table_name
        assert nulls == 0, table_name


@pytest.mark.usefixtures("contract_tables")
def test_agency_without_enabled_reports_has_nothing_to_refresh(manage: Callable[..., CompletedCommand]) -> None:
    assert manage("load_demo").exit_code == 0
    result = manage("refresh_agency", "gotham")
    assert result.exit_code == 0
    assert "Nothing to refresh: no manifest is enabled for the agency 'gotham'." in result.out

"""Routing by database_id."""

import pytest
from django.db import connections
from pytest_django import Settings

from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.models import CustomReportManifest, JobStatus, RunHistory
from seeder.services.run import orchestrator
from tests.conftest import create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")


def test_every_database_id_is_default_without_the_setting() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    CustomReportManifest.objects.update(database_id=42)
    assert orchestrator.execute_run(AllReports()).failed == 0


def test_unknown_database_id_fails_its_manifest(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default"}}
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    CustomReportManifest.objects.update(database_id=42)
    create_custom_manifest("reporting.b", "SELECT 1 AS n")
    summary = orchestrator.execute_run(AllReports())
    settings.SEEDER = {"DATABASES": {42: "default"}}
    assert [rejected.manifest.table_name for rejected in orchestrator.preview(AllReports()).rejected] == ["reporting.b"]
    assert (summary.succeeded, summary.failed) == (1, 1)
    assert RunHistory.objects.get(table_name="reporting.a").errors == (
        "The manifest's database_id 42 is not in SEEDER['DATABASES'], which has [1]."
    )
    assert sql("SELECT to_regclass('reporting.a') IS NULL") == [(True,)]


def test_unreachable_database_fails_only_its_views(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}, "MAX_RETRIES": 1}
    connections["archive"].close()
    monkeypatch.setitem(connections.settings["archive"], "NAME", "no_such_database")
    create_custom_manifest("reporting.there", "SELECT 1 AS n")
    CustomReportManifest.objects.update(database_id=2)
    create_custom_manifest("reporting.here", "SELECT 1 AS n")
    summary = orchestrator.execute_run(AllReports())
    assert (summary.succeeded, summary.failed) == (1, 1)
    row = RunHistory.objects.get(table_name="reporting.there")
    assert 'database "no_such_database" does not exist' in (row.errors or "")


def test_view_is_refreshed_in_the_database_of_its_id(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    sql("CREATE SCHEMA reporting", using="archive")
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    CustomReportManifest.objects.update(database_id=2)
    create_custom_manifest("reporting.good", "SELECT 2 AS n")
    summary = orchestrator.execute_run(AllReports())
    assert (summary.succeeded, summary.failed) == (2, 1)
    assert sql("SELECT n FROM reporting.good", using="archive") == [(1,)]
    assert sql("SELECT n FROM reporting.good") == [(2,)]
    rows = RunHistory.objects.order_by("manifest_id").values_list("table_name", "status", "records_processed")
    assert list(rows) == [
        ("reporting.good", "success", 1),
        ("reporting.bad", "error", 0),
        ("reporting.good", "success", 1),
    ]


@pytest.mark.slow
def test_failure_in_one_of_two_databases_with_the_same_view_is_visible(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    sql("CREATE SCHEMA reporting", using="archive")
    create_custom_manifest("reporting.a", "SELECT 1 / 0 AS n")
    CustomReportManifest.objects.update(database_id=2)
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep(0.5)", agency="metro")  # ends last
    for request, failures in ((AllReports(), 1), (AllReports(), 2), (AgencyReports(slug="metro"), 2)):
        orchestrator.execute_run(request)
        state = JobStatus.objects.get()
        assert (state.status, state.last_errors) == ("error", "division by zero")
        assert state.consecutive_failures == failures
    CustomReportManifest.objects.filter(database_id=2).update(query="SELECT 2 AS n")
    orchestrator.execute_run(AllReports())
    state = JobStatus.objects.get()
    assert (state.status, state.last_errors, state.consecutive_failures) == ("success", None, 0)

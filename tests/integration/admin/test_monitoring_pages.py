"""The monitoring pages in the admin: contents, agency scope and errors."""

import re

import pytest
from pytest_django import Settings

from seeder.models import QueuedRefresh, Run, RunHistory, RunMetrics
from seeder.services.snapshots import release_snapshots
from tests.conftest import create_custom_manifest, sql
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, get_page


def test_error_text_is_redacted_in_pages_and_lookups() -> None:
    row = RunHistory.objects.get(table_name="reporting.bad")
    reader, full_reader = (
        client_with(*READER_PERMISSIONS),
        client_with(*READER_PERMISSIONS, "view_errors", name="full_reader"),
    )
    for path in (f"runhistory/{row.pk}/change/", "jobstatus/reporting.bad/change/", "monitoring/", "runhistory/"):
        assert "secret" not in get_page(reader, path)
    assert "invalid_text_representation" in get_page(reader, f"runhistory/{row.pk}/change/")
    assert "secret" in get_page(full_reader, f"runhistory/{row.pk}/change/")
    assert "secret" in get_page(full_reader, "monitoring/")
    for guess in ({"errors__contains": "secret"}, {"last_errors__startswith": "i"}):
        model = "runhistory" if "errors__contains" in guess else "jobstatus"
        response = reader.get(f"/admin/seeder/{model}/", guess)
        assert response.status_code in {302, 400}


def test_note_of_success_is_not_styled_as_error() -> None:
    rows = RunHistory.objects.filter(table_name="reporting.good")
    RunMetrics.objects.filter(history__in=rows).update(notes="Also")
    path = "monitoring/view/?table=reporting.good"
    assert '<p class="errors note">Also</p>' in get_page(client_with(*READER_PERMISSIONS, "view_errors"), path)
    assert "Also" not in get_page(client_with(*READER_PERMISSIONS, name="reader"), path)


def test_page_of_shared_view_names_manifest_of_runs() -> None:
    reader = client_with(*READER_PERMISSIONS)
    page = get_page(reader, "monitoring/view/", table="reporting.shared")
    manifest_id = RunHistory.objects.filter(table_name="reporting.shared").order_by("manifest_id")[0].manifest_id
    assert f"the runs below refreshed it for canned manifest {manifest_id}." in page
    assert "Several manifests" not in get_page(reader, "monitoring/view/", table="reporting.good")


def test_agency_scope_applies_to_every_list_and_page(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    demo = client_with(*READER_PERMISSIONS, "view_errors", "refresh_views", name="demo")
    for path in ("runhistory/", "jobstatus/", "monitoring/"):
        page = get_page(demo, path)
        assert "reporting.good" in page
        assert "reporting.shared" in page
        assert "reporting.bad" not in page
        assert "metro" not in page
    bad = RunHistory.objects.get(table_name="reporting.bad")
    for path in (f"runhistory/{bad.pk}/change/", "jobstatus/reporting.bad/change/"):
        assert demo.get(f"/admin/seeder/{path}").status_code == 302
    assert demo.get("/admin/seeder/monitoring/view/", {"table": "reporting.bad"}).status_code == 404
    assert "0 run" in get_page(demo, "runhistory/", agency="metro")
    assert "metro" not in get_page(demo, f"monitoring/run/{bad.run_id}/")
    assert "reporting.bad" not in get_page(demo, f"monitoring/run/{bad.run_id}/")
    assert "metro" not in get_page(demo, f"run/{bad.run_id}/change/")
    demo.post("/admin/seeder/monitoring/", {"refresh": "reporting.bad"})
    assert not QueuedRefresh.objects.exists()
    demo.post("/admin/seeder/monitoring/", {"refresh": "reporting.shared"})
    assert QueuedRefresh.objects.get().requested_by == "demo"


@pytest.mark.parametrize(
    "table",
    [
        "seeder_run",
        "seeder_run_metrics",
        "seeder_queued_refresh",
        "seeder_circuit_breaker",
        "seeder_freshness",
        "seeder_view_state",
    ],
)
def test_pages_work_without_optional_table(table: str) -> None:
    run_id = Run.objects.get().run_id
    sql(f"DROP TABLE reporting.{table} CASCADE")
    client = client_with(*READER_PERMISSIONS, "refresh_views")
    for path in (
        "monitoring/",
        "runhistory/",
        "jobstatus/",
        "run/",
        "releasesnapshot/",
        "monitoring/view/?table=reporting.bad",
        "monitoring/view/explanation/?table=reporting.bad",
    ):
        get_page(client, path)
    row = RunHistory.objects.get(table_name="reporting.bad")
    get_page(client, f"runhistory/{row.pk}/change/")
    response = client.get(f"/admin/seeder/monitoring/run/{run_id}/")
    assert response.status_code == (503 if table == "seeder_run" else 200)
    client.post("/admin/seeder/monitoring/", {"refresh": "reporting.good"})


def test_page_without_contract_tables_answers_503() -> None:
    client = client_with(*READER_PERMISSIONS)
    sql("DROP SCHEMA reporting CASCADE")
    for path in ("monitoring/", "runhistory/", "jobstatus/", "releasesnapshot/", "runhistory/1/history/"):
        response = client.get(f"/admin/seeder/{path}")
        assert response.status_code == 503
        assert "install_schema" in response.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "?page=0",
        "?page=99999999999999999999",
        "?page=x",
        "?type=none",
        "?show=none",
        "?q=%00",
        "?agency='",
        "?page=%C2%B2",
    ],
)
def test_monitoring_page_ignores_invalid_parameters(query: str) -> None:
    assert client_with(*READER_PERMISSIONS).get(f"/admin/seeder/monitoring/{query}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "run/none/",
        "run/a/b/",
        "run/%00/",
        "view/",
        "view/?table=none",
        "view/?table=%00",
        "drift/",
        "drift/?base=1&compare=x",
        "drift/?base=99999999999999999999&compare=1",
        "drift/?base=0&compare=0",
    ],
)
def test_page_of_unknown_object_is_not_found(path: str) -> None:
    assert client_with(*READER_PERMISSIONS).get(f"/admin/seeder/monitoring/{path}").status_code == 404


def test_snapshot_ids_ignore_thousand_separator(settings: Settings) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    sql("SELECT setval('reporting.seeder_release_snapshot_id_seq', 1233)")
    release_snapshots.capture_release_snapshot("reporting.good", "2026.12")
    page = get_page(client_with(*READER_PERMISSIONS), "monitoring/view/", table="reporting.good")
    assert set(re.findall(r'name="(base|compare)" value="(12[^"]*)"', page)) == {("base", "1234"), ("compare", "1234")}


def test_list_of_views_has_pages() -> None:
    for number in range(60):
        create_custom_manifest(f"reporting.v{number}", "SELECT 1 AS n")
    reader = client_with(*READER_PERMISSIONS)
    assert 'href="?show=late&amp;page=2"' in get_page(reader, "monitoring/", show="late")
    page = get_page(reader, "monitoring/", page="2")
    assert "Page 2 of 2, 63 views" in page
    assert 'href="?page=1"' in page
    assert '<a href="?">First page</a>' in get_page(reader, "monitoring/", page="3")


def test_comparison_of_different_views_is_rejected() -> None:
    first, other = (
        release_snapshots.capture_release_snapshot(f"reporting.{name}", "2026.12").id for name in ("good", "shared")
    )
    response = client_with(*READER_PERMISSIONS).get(f"/admin/seeder/monitoring/drift/?base={first}&compare={other}")
    assert response.status_code == 400
    assert "reporting.shared" in response.content.decode()


def test_page_of_an_agency_shows_only_its_views() -> None:
    reader = client_with(*READER_PERMISSIONS)
    response = reader.get("/admin/seeder/monitoring/", {"agency": "metro", "q": "s"})
    assert response.headers["Location"] == "/admin/seeder/monitoring/agency/metro/?q=s"
    page = get_page(reader, "monitoring/agency/metro/")
    assert "Monitoring of metro" in page
    assert "<span>1 of 2 views refreshed</span> <span><b>1 failed</b>" in page
    assert "reporting.good" not in page
    assert reader.get("/admin/seeder/monitoring/agency/none/").status_code == 404
    left = reader.get("/admin/seeder/monitoring/agency/metro/", {"agency": ""})
    assert left.headers["Location"] == "/admin/seeder/monitoring/"


def test_page_of_a_hidden_agency_is_not_found(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    demo = client_with(*READER_PERMISSIONS, name="demo")
    assert demo.get("/admin/seeder/monitoring/agency/metro/").status_code == 404
    assert demo.get("/admin/seeder/monitoring/agency/demo/").status_code == 200

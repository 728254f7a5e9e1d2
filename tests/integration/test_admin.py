"""The admin lists and pages: permissions, agency scope, read-only access, and cost with many rows."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from seeder.admin.large_table_lists import MAX_COUNTED_ROWS, DateRangeQuerySet
from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.models import JobStatus, QueuedRefresh, ReleaseSnapshot, Run, RunHistory
from seeder.services.queue import enqueue, part_rows
from seeder.services.run import orchestrator
from seeder.services.snapshots import release_snapshots
from tests.conftest import BuildScene, create_canned_report, create_custom_manifest, sql

READER_PERMISSIONS = ("view_jobstatus", "view_runhistory", "view_run", "view_releasesnapshot", "view_queuedrefresh")
LISTS = ("runhistory", "jobstatus", "run", "releasesnapshot")


@pytest.fixture(autouse=True)
def reports(request: pytest.FixtureRequest, scene: BuildScene) -> Iterator[None]:
    scene(create_long_history if "history" in request.fixturenames else create_reports_and_run)
    User.objects.all().delete()
    yield
    User.objects.all().delete()


@pytest.fixture
def history() -> None:
    """Request a long history in addition to the reports."""


def create_reports_and_run() -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 'secret'::integer AS n", agency="metro")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("demo", "metro"))
    orchestrator.execute_run(AllReports(), requested_by="a test")
    release_snapshots.capture_release_snapshot("reporting.good", "2026.11")


def create_long_history() -> None:
    create_reports_and_run()
    fill(100_000)


def client_with(*permissions: str, name: str = "user") -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="seeder"))
    client = Client()
    client.force_login(user)
    return client


def get_page(client: Client, path: str, **parameters: str) -> str:
    response = client.get(f"/admin/seeder/{path}", parameters)
    assert response.status_code == 200
    return str(response.content.decode())


def scope_by_name(user: User) -> list[str] | None:
    return ["demo"] if user.username == "demo" else None


@pytest.mark.parametrize("model", LISTS)
def test_admin_rejects_add_change_and_delete(model: str) -> None:
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    row = {"runhistory": RunHistory, "jobstatus": JobStatus, "run": Run, "releasesnapshot": ReleaseSnapshot}[model]
    before = list(row._base_manager.order_by("pk").values())
    pk = before[0][row._meta.pk.attname]
    assert root.get(f"/admin/seeder/{model}/add/").status_code == 403
    path = f"/admin/seeder/{model}/{quote(pk)}"
    assert root.get(f"{path}/change/").status_code == 200
    assert root.post(f"{path}/change/", {"status": "success"}).status_code == 403
    assert root.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
    deleting = {"action": "delete_selected", "_selected_action": [str(pk)], "post": "yes"}
    root.post(f"/admin/seeder/{model}/", deleting)
    assert list(row._base_manager.order_by("pk").values()) == before


@pytest.mark.parametrize("model", LISTS)
def test_list_requires_view_permission(model: str) -> None:
    assert client_with().get(f"/admin/seeder/{model}/").status_code == 403
    assert client_with(f"view_{model}", name="reader").get(f"/admin/seeder/{model}/").status_code == 200
    assert Client().get(f"/admin/seeder/{model}/").status_code == 302


def test_error_text_is_redacted_in_pages_and_lookups() -> None:
    row = RunHistory.objects.get(table_name="reporting.bad")
    reader, full_reader = (
        client_with(*READER_PERMISSIONS),
        client_with(*READER_PERMISSIONS, "view_errors", name="whole"),
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
    sql("UPDATE reporting.seeder_job_status SET last_errors = 'Also' WHERE table_name = 'reporting.good'")
    operator = client_with(*READER_PERMISSIONS, "view_errors")
    for path in ("monitoring/", "monitoring/view/?table=reporting.good"):
        assert '<p class="errors note">Also</p>' in get_page(operator, path)
    assert '<p class="errors">' in get_page(operator, "monitoring/view/?table=reporting.bad")


def test_page_of_shared_view_names_manifest_of_runs() -> None:
    reader = client_with(*READER_PERMISSIONS)
    page = get_page(reader, "monitoring/view/", table="reporting.shared")
    manifest_id = RunHistory.objects.filter(table_name="reporting.shared").order_by("manifest_id")[0].manifest_id
    assert f"the runs below refreshed it for canned manifest {manifest_id}." in page
    assert "Several manifests" not in get_page(reader, "monitoring/view/", table="reporting.good")


def test_agency_scope_applies_to_every_list_and_page(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": f"{__name__}.scope_by_name"}
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


def test_refresh_requires_permission_and_post() -> None:
    reader, operator = (
        client_with(*READER_PERMISSIONS),
        client_with(*READER_PERMISSIONS, "refresh_views", name="operator"),
    )
    button = {"refresh": "reporting.good"}
    assert reader.post("/admin/seeder/monitoring/", button).status_code == 403
    operator.get("/admin/seeder/monitoring/", button)
    selected = {"action": "refresh", "_selected_action": ["reporting.good"]}
    reader.post("/admin/seeder/jobstatus/", selected)
    assert not QueuedRefresh.objects.exists()
    operator.post("/admin/seeder/jobstatus/", selected)
    assert QueuedRefresh.objects.get().description == "the view reporting.good"
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(User.objects.get(username="operator"))
    assert careful.post("/admin/seeder/monitoring/", button).status_code == 403


def test_capture_requires_its_own_permission() -> None:
    selected = {"action": "capture", "_selected_action": ["reporting.good"], "release_tag": "2026.12"}
    client_with(*READER_PERMISSIONS, "refresh_views").post("/admin/seeder/jobstatus/", selected)
    assert sql("SELECT count(*) FROM django_q_ormq") == [(0,)]
    client_with(*READER_PERMISSIONS, "capture_releasesnapshot", name="capturer").post(
        "/admin/seeder/jobstatus/", selected
    )
    assert sql("SELECT count(*) FROM django_q_ormq") == [(1,)]


def fill(rows: int) -> None:
    """Insert history rows of 50 agencies, five minutes apart."""
    sql(
        "INSERT INTO reporting.seeder_run_history"
        " (run_id, manifest_id, table_name, report_name, agency_id, agency_slug, report_type, status, start_time)"
        " SELECT 'run ' || n / 100, n % 1000, 'reporting.v' || n % 1000, 'v', n % 50, 'agency ' || n % 50, 'custom',"
        " CASE WHEN n % 200 = 0 THEN 'error' ELSE 'success' END, now() - n * interval '5 minutes'"
        f" FROM generate_series(1, {rows}) AS n"
    )
    sql("ANALYZE reporting.seeder_run_history")


LIST_QUERIES = [
    {},
    {"q": "reporting.v7"},
    {"q": "run 77"},
    {"agency": "demo"},
    {"status": "error"},
    {"status": "running"},
    {"start_time__year": "2026"},
    {"start_time__year": "2026", "start_time__month": "11"},
    {"p": "3"},
    {"_facets": "True"},
    {"all": ""},
]


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    "parameters", LIST_QUERIES, ids=lambda parameters: "&".join(f"{key}={value}" for key, value in parameters.items())
)
def test_history_list_reads_only_capped_number_of_rows(parameters: dict[str, str]) -> None:
    client = client_with(*READER_PERMISSIONS)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        get_page(client, "runhistory/", **parameters)
    statements = [query["sql"] for query in captured if "seeder_run_history" in query["sql"]]
    assert statements
    for statement in statements:
        assert not re.search(r"SELECT DISTINCT", statement)
        [(plan,)] = sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.replace('%', '%%')}")
        assert rows_read(plan if isinstance(plan, list) else json.loads(plan)) <= MAX_COUNTED_ROWS + 1, statement


def rows_read(plan: Any) -> int:
    """Return the number of table rows read, including filtered ones."""

    def of(node: Any) -> int:
        is_table = node["Node Type"].endswith("Scan") and node["Node Type"] != "Bitmap Index Scan"
        rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        return int(is_table * node["Actual Loops"] * rows) + sum(map(of, node.get("Plans", [])))

    return of(plan[0]["Plan"])


def test_admin_list_query_count_does_not_grow_with_rows() -> None:
    client = client_with(*READER_PERMISSIONS, "view_errors")
    numbers = []
    for rows in (0, 60):
        fill(rows or 1)
        for query in range(rows):
            create_custom_manifest(f"reporting.v{query}", "SELECT 1 AS n")
        query_counts = {}
        for path in ("runhistory/", "jobstatus/", "run/", "releasesnapshot/", "monitoring/"):
            with CaptureQueriesContext(connection) as captured:
                get_page(client, path)
            query_counts[path] = len(captured)
        numbers.append(query_counts)
    assert numbers[0] == numbers[1]


def test_date_hierarchy_is_derived_from_first_and_last_row() -> None:
    RunHistory.objects.all().delete()
    dates = DateRangeQuerySet(model=RunHistory)
    assert dates.datetimes("start_time", "year") == []
    for at in (datetime(2024, 11, 30, 23, 59, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)):
        RunHistory.objects.create(
            run_id="r",
            manifest_id=1,
            table_name="t",
            report_name="t",
            agency_id=1,
            agency_slug="demo",
            report_type="custom",
            status="success",
            start_time=at,
        )
    assert [at.year for at in dates.datetimes("start_time", "year")] == [2024, 2025]
    assert [at.month for at in dates.datetimes("start_time", "month")] == [11, 12, 1, 2]
    days = [f"{at:%Y-%m-%d}" for at in dates.datetimes("start_time", "day", order="DESC")]
    assert (len(days), days[0], days[-1]) == (64, "2025-02-01", "2024-11-30")
    with timezone.override("America/New_York"):
        assert dates.datetimes("start_time", "day")[-1].day == 31


@pytest.mark.parametrize(
    "table", ["seeder_run", "seeder_run_metrics", "seeder_queued_refresh", "seeder_circuit_breaker"]
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


@pytest.mark.parametrize("spelled", ["bare", "Reporting.BARE"])
def test_snapshot_links_to_view_in_any_spelling(spelled: str) -> None:
    create_custom_manifest(spelled, "SELECT 1 AS n", agency="harbor")
    orchestrator.execute_run(AgencyReports(slug="harbor"), requested_by="a test")
    release_snapshots.capture_release_snapshot(spelled, "1")
    client = client_with(*READER_PERMISSIONS)
    [path] = set(re.findall(r'href="([^"]*table=[^"]*bare)"', get_page(client, "releasesnapshot/")))
    assert client.get(path).status_code == 200


def test_snapshot_ids_ignore_thousand_separator(settings: Settings) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    sql("SELECT setval('reporting.seeder_release_snapshot_id_seq', 1233)")
    release_snapshots.capture_release_snapshot("reporting.good", "2026.12")
    page = get_page(client_with(*READER_PERMISSIONS), "monitoring/view/", table="reporting.good")
    assert set(re.findall(r'name="(base|compare)" value="(12[^"]*)"', page)) == {("base", "1234"), ("compare", "1234")}


def test_refresh_and_capture_work_with_atomic_requests() -> None:
    client = client_with(*READER_PERMISSIONS, "refresh_views", "capture_releasesnapshot")
    selected = {"_selected_action": ["reporting.bad"]}
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        client.post("/admin/seeder/monitoring/", {"refresh": "reporting.good"})
        client.post("/admin/seeder/monitoring/view/?table=reporting.shared", {"refresh": "reporting.shared"})
        client.post("/admin/seeder/jobstatus/", {"action": "refresh", **selected})
        client.post("/admin/seeder/jobstatus/", {"action": "capture", "release_tag": "1", **selected})
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert QueuedRefresh.objects.count() == 3


def test_worker_host_is_hidden_without_access_to_all_agencies(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": f"{__name__}.scope_by_name"}
    enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test")
    part_rows.claim(QueuedRefresh.objects.get(), run_id="gone", worker="inner-host:7")
    assert "inner-host:7" in get_page(client_with(*READER_PERMISSIONS), "monitoring/")
    page = get_page(client_with(*READER_PERMISSIONS, name="demo"), "monitoring/")
    assert "worker lost" in page
    assert "inner-host" not in page


@pytest.mark.parametrize(
    ("permission", "heading"), [("view_queuedrefresh", "queue-heading"), ("view_run", "runs-heading")]
)
def test_queue_and_latest_runs_require_their_permissions(permission: str, heading: str) -> None:
    others = [name for name in READER_PERMISSIONS if name != permission]
    assert heading not in get_page(client_with(*others), "monitoring/")
    page = get_page(client_with("view_jobstatus", permission, name="reader"), "monitoring/")
    assert heading in page
    assert "latest-" not in page  # no link to a page without permission


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("page", ["change", "history", "delete"])
def test_page_of_impossible_id_is_not_found(model: str, page: str) -> None:
    assert client_with(*READER_PERMISSIONS).get(f"/admin/seeder/{model}/%00/{page}/").status_code in {302, 403}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("runhistory/?table_name=%00", 404),
        ("runhistory/?status=%00", 404),
        ("runhistory/?start_time__year=99999999999", 400),
        ("run/?started_at__year=99999999999", 400),
    ],
)
def test_impossible_filter_value_is_client_error(query: str, status: int) -> None:
    assert client_with(*READER_PERMISSIONS).get(f"/admin/seeder/{query}").status_code == status


@pytest.mark.parametrize("key", ["x", "", "1.5"])
def test_action_on_invalid_id_is_rejected(key: str) -> None:
    selected = {"action": "compare", "_selected_action": key}
    assert client_with(*READER_PERMISSIONS).post("/admin/seeder/releasesnapshot/", selected).status_code == 400


def test_action_on_missing_row_does_nothing() -> None:
    selected = {"action": "compare", "_selected_action": "99999999999999999999"}
    assert client_with(*READER_PERMISSIONS).post("/admin/seeder/releasesnapshot/", selected).status_code == 302


def test_comparison_of_different_views_is_rejected() -> None:
    first, other = (
        release_snapshots.capture_release_snapshot(f"reporting.{name}", "2026.12").id for name in ("good", "shared")
    )
    response = client_with(*READER_PERMISSIONS).get(f"/admin/seeder/monitoring/drift/?base={first}&compare={other}")
    assert response.status_code == 400
    assert "reporting.shared" in response.content.decode()


def test_snapshot_of_hidden_view_is_not_listed(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": f"{__name__}.scope_by_name"}
    release_snapshots.capture_release_snapshot("reporting.shared", "2026.11")
    sql("DELETE FROM reporting.seeder_canned_report_manifest WHERE agency_slug = 'demo'")
    demo = client_with(*READER_PERMISSIONS, name="demo")
    page = get_page(demo, "releasesnapshot/")
    assert "reporting.good" in page
    assert "reporting.shared" not in page

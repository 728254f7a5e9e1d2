"""The admin lists: permissions, read-only access, and cost with many rows."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from seeder.admin.read_only_admin import MAX_COUNTED_ROWS, DateRangeQuerySet
from seeder.domain.refresh_requests import AgencyReports
from seeder.models import JobStatus, QueuedRefresh, ReleaseSnapshot, Run, RunHistory, RunMetrics
from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS
from seeder.services.read_models import name_search
from seeder.services.run import orchestrator
from seeder.services.snapshots import release_snapshots
from tests.conftest import create_custom_manifest, sql
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, fill, get_page

LISTS = ("runhistory", "jobstatus", "run", "releasesnapshot")


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


LIST_QUERIES = [
    {},
    {"q": "reporting.v7"},
    {"q": "v7"},
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
        assert rows_read(explain(statement)) <= MAX_COUNTED_ROWS + 1, statement


def explain(statement: str) -> Any:
    """Return the plan of a statement and what it read."""
    [(plan,)] = sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.replace('%', '%%')}")
    return plan if isinstance(plan, list) else json.loads(plan)


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
        for number in range(rows):
            create_custom_manifest(f"reporting.v{number}", "SELECT 1 AS n")
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
    days = [f"{at:%Y-%m-%d}" for at in reversed(dates.datetimes("start_time", "day"))]
    assert (len(days), days[0], days[-1]) == (64, "2025-02-01", "2024-11-30")
    with timezone.override("America/New_York"):
        assert dates.datetimes("start_time", "day")[-1].day == 31


def test_history_is_found_by_a_part_of_a_name_in_the_users_agencies(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    reader, demo = client_with(*READER_PERMISSIONS), client_with(*READER_PERMISSIONS, name="demo")
    for term, names in (("ood", {"good"}), ("SHAR", {"shared"}), ("reporting.good", {"good"}), ("%", set())):
        for client in (reader, demo):
            found = re.findall(r'table=reporting\.(\w+)"', get_page(client, "runhistory/", q=term))
            assert set(found) == names
    assert "bad" in re.findall(r'table=reporting\.(\w+)"', get_page(reader, "runhistory/", q="ad"))
    assert "bad" not in re.findall(r'table=reporting\.(\w+)"', get_page(demo, "runhistory/", q="ad"))
    assert "2 run history" in get_page(reader, "runhistory/", q="shared")
    assert "1 run history" in get_page(demo, "runhistory/", q="shared")
    assert len(name_search.latest_history("shar", ["demo"])) == 1


@pytest.mark.usefixtures("history")
def test_part_of_a_name_reads_few_rows_of_each_view() -> None:
    facts = {"manifest_id": 1, "report_name": "v", "report_type": "custom", "agency_id": 1, "agency_slug": "demo"}
    JobStatus.objects.bulk_create(
        JobStatus(table_name=f"reporting.v{number}", status="success", **facts) for number in range(1000)
    )
    assert "10000 run history" in get_page(client_with(*READER_PERMISSIONS), "runhistory/", q="v")
    assert len(name_search.latest_history("v", None)) == MAX_COUNTED_ROWS
    parameters = {"names": name_search.matching_names("v"), "agencies": None, "max_rows": 50}
    statement = f"EXPLAIN (ANALYZE, FORMAT JSON) {STATEMENTS['latest_rows_of_names']}"
    [(plan,)] = sessions.query(DEFAULT_DB_ALIAS, statement, parameters)
    assert 0 < rows_read(plan) <= MAX_COUNTED_ROWS + name_search.MAX_NAMES  # and the names


def test_runs_show_outcome_duration_and_failures() -> None:
    Run.objects.update(finished_at=F("started_at") + timedelta(milliseconds=1234))
    reader = client_with(*READER_PERMISSIONS)
    page = get_page(reader, "run/", q="every rep")
    for cell in ("</svg>failed</span>", ">1.23 s<", '<span class="failed">1</span>'):
        assert cell in page
    assert "0 runs" in get_page(reader, "run/", q="no such run")


def test_run_totals_are_those_of_the_users_agencies(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    page = get_page(client_with(*READER_PERMISSIONS, name="demo"), "run/")
    assert "</svg>succeeded</span>" in page
    assert '<td class="field-manifests_text">2</td>' in page


def test_lists_show_durations_with_fractions_and_reasons() -> None:
    rows = RunHistory.objects.filter(table_name="reporting.good")
    rows.update(finish_time=F("start_time") + timedelta(milliseconds=420))
    RunMetrics.objects.filter(history__table_name="reporting.bad").update(reason="held")
    reader = client_with(*READER_PERMISSIONS)
    for path in ("runhistory/", "jobstatus/"):
        assert ">0.42 s<" in get_page(reader, path)
    assert "</svg>held</span>" in get_page(reader, "runhistory/")


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


def test_snapshot_of_hidden_view_is_not_listed(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    release_snapshots.capture_release_snapshot("reporting.shared", "2026.11")
    sql("DELETE FROM reporting.seeder_canned_report_manifest WHERE agency_slug = 'demo'")
    demo = client_with(*READER_PERMISSIONS, name="demo")
    page = get_page(demo, "releasesnapshot/")
    assert "reporting.good" in page
    assert "reporting.shared" not in page


@pytest.mark.parametrize("spelled", ["bare", "Reporting.BARE"])
def test_snapshot_links_to_view_in_any_spelling(spelled: str) -> None:
    create_custom_manifest(spelled, "SELECT 1 AS n", agency="harbor")
    orchestrator.execute_run(AgencyReports(slug="harbor"), requested_by="a test")
    release_snapshots.capture_release_snapshot(spelled, "1")
    client = client_with(*READER_PERMISSIONS)
    [path] = set(re.findall(r'href="([^"]*table=[^"]*bare)"', get_page(client, "releasesnapshot/")))
    assert client.get(path).status_code == 200

"""The lists of the admin: who may see what, that nobody changes anything, and what they ask of millions of rows."""

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

READING = ("view_jobstatus", "view_runhistory", "view_run", "view_releasesnapshot", "view_queuedrefresh")
LISTS = ("runhistory", "jobstatus", "run", "releasesnapshot")


@pytest.fixture(autouse=True)
def reports(request: pytest.FixtureRequest, scene: BuildScene) -> Iterator[None]:
    scene(years if "history" in request.fixturenames else night)
    User.objects.all().delete()
    yield
    User.objects.all().delete()


@pytest.fixture
def history() -> None:
    """Besides the reports, a long history."""


def night() -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 'secret'::integer AS n", agency="metro")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("demo", "metro"))
    orchestrator.execute_run(AllReports(), requested_by="a test")
    release_snapshots.capture_release_snapshot("reporting.good", "2026.11")


def years() -> None:
    night()
    fill(100_000)


def visitor(*permissions: str, name: str = "somebody") -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="seeder"))
    client = Client()
    client.force_login(user)
    return client


def seen(client: Client, place: str, **asked: str) -> str:
    answer = client.get(f"/admin/seeder/{place}", asked)
    assert answer.status_code == 200
    return str(answer.content.decode())


def by_name(user: User) -> list[str] | None:
    return ["demo"] if user.username == "demo" else None


@pytest.mark.parametrize("model", LISTS)
def test_nobody_adds_changes_or_deletes_anything(model: str) -> None:
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    row = {"runhistory": RunHistory, "jobstatus": JobStatus, "run": Run, "releasesnapshot": ReleaseSnapshot}[model]
    before = list(row._base_manager.order_by("pk").values())
    pk = before[0][row._meta.pk.attname]
    assert root.get(f"/admin/seeder/{model}/add/").status_code == 403
    place = f"/admin/seeder/{model}/{quote(pk)}"
    assert root.get(f"{place}/change/").status_code == 200
    assert root.post(f"{place}/change/", {"status": "success"}).status_code == 403
    assert root.post(f"{place}/delete/", {"post": "yes"}).status_code == 403
    deleting = {"action": "delete_selected", "_selected_action": [str(pk)], "post": "yes"}
    root.post(f"/admin/seeder/{model}/", deleting)
    assert list(row._base_manager.order_by("pk").values()) == before


@pytest.mark.parametrize("model", LISTS)
def test_a_list_is_only_for_who_may_view_its_rows(model: str) -> None:
    assert visitor().get(f"/admin/seeder/{model}/").status_code == 403
    assert visitor(f"view_{model}", name="reader").get(f"/admin/seeder/{model}/").status_code == 200
    assert Client().get(f"/admin/seeder/{model}/").status_code == 302


def test_the_text_of_an_error_is_for_who_may_see_it_whole_in_whichever_way_it_is_asked_for() -> None:
    row = RunHistory.objects.get(table_name="reporting.bad")
    reader, whole = visitor(*READING), visitor(*READING, "view_errors", name="whole")
    for place in (f"runhistory/{row.pk}/change/", "jobstatus/reporting.bad/change/", "monitoring/", "runhistory/"):
        assert "secret" not in seen(reader, place)
    assert "invalid_text_representation" in seen(reader, f"runhistory/{row.pk}/change/")
    assert "secret" in seen(whole, f"runhistory/{row.pk}/change/")
    assert "secret" in seen(whole, "monitoring/")
    for guess in ({"errors__contains": "secret"}, {"last_errors__startswith": "i"}):
        model = "runhistory" if "errors__contains" in guess else "jobstatus"
        answer = reader.get(f"/admin/seeder/{model}/", guess)
        assert answer.status_code in {302, 400}


def test_what_a_success_notes_is_not_shown_as_an_error() -> None:
    sql("UPDATE reporting.seeder_job_status SET last_errors = 'Also' WHERE table_name = 'reporting.good'")
    operator = visitor(*READING, "view_errors")
    for place in ("monitoring/", "monitoring/view/?table=reporting.good"):
        assert '<p class="errors note">Also</p>' in seen(operator, place)
    assert '<p class="errors">' in seen(operator, "monitoring/view/?table=reporting.bad")


def test_the_page_of_a_shared_view_says_whose_runs_it_shows() -> None:
    reader = visitor(*READING)
    page = seen(reader, "monitoring/view/", table="reporting.shared")
    manifest_id = RunHistory.objects.filter(table_name="reporting.shared").order_by("manifest_id")[0].manifest_id
    assert f"the runs below refreshed it for canned manifest {manifest_id}." in page
    assert "Several manifests" not in seen(reader, "monitoring/view/", table="reporting.good")


def test_what_somebody_may_see_holds_in_every_list_and_on_every_page(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": f"{__name__}.by_name"}
    demo = visitor(*READING, "view_errors", "refresh_views", name="demo")
    for place in ("runhistory/", "jobstatus/", "monitoring/"):
        page = seen(demo, place)
        assert "reporting.good" in page
        assert "reporting.shared" in page
        assert "reporting.bad" not in page
        assert "metro" not in page
    bad = RunHistory.objects.get(table_name="reporting.bad")
    for place in (f"runhistory/{bad.pk}/change/", "jobstatus/reporting.bad/change/"):
        assert demo.get(f"/admin/seeder/{place}").status_code == 302
    assert demo.get("/admin/seeder/monitoring/view/", {"table": "reporting.bad"}).status_code == 404
    assert "0 run" in seen(demo, "runhistory/", agency="metro")
    assert "metro" not in seen(demo, f"monitoring/run/{bad.run_id}/")
    assert "reporting.bad" not in seen(demo, f"monitoring/run/{bad.run_id}/")
    assert "metro" not in seen(demo, f"run/{bad.run_id}/change/")
    demo.post("/admin/seeder/monitoring/", {"refresh": "reporting.bad"})
    assert not QueuedRefresh.objects.exists()
    demo.post("/admin/seeder/monitoring/", {"refresh": "reporting.shared"})
    assert QueuedRefresh.objects.get().requested_by == "demo"


def test_refreshing_takes_a_permission_and_a_post() -> None:
    reader, operator = visitor(*READING), visitor(*READING, "refresh_views", name="operator")
    pressed = {"refresh": "reporting.good"}
    assert reader.post("/admin/seeder/monitoring/", pressed).status_code == 403
    operator.get("/admin/seeder/monitoring/", pressed)
    chosen = {"action": "refresh", "_selected_action": ["reporting.good"]}
    reader.post("/admin/seeder/jobstatus/", chosen)
    assert not QueuedRefresh.objects.exists()
    operator.post("/admin/seeder/jobstatus/", chosen)
    assert QueuedRefresh.objects.get().description == "the view reporting.good"
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(User.objects.get(username="operator"))
    assert careful.post("/admin/seeder/monitoring/", pressed).status_code == 403


def test_capturing_takes_a_permission_of_its_own() -> None:
    chosen = {"action": "capture", "_selected_action": ["reporting.good"], "release_tag": "2026.12"}
    visitor(*READING, "refresh_views").post("/admin/seeder/jobstatus/", chosen)
    assert sql("SELECT count(*) FROM django_q_ormq") == [(0,)]
    visitor(*READING, "capture_releasesnapshot", name="capturer").post("/admin/seeder/jobstatus/", chosen)
    assert sql("SELECT count(*) FROM django_q_ormq") == [(1,)]


def fill(rows: int) -> None:
    """As many rows of the history of one agency among others, over three years."""
    sql(
        "INSERT INTO reporting.seeder_run_history"
        " (run_id, manifest_id, table_name, report_name, agency_id, agency_slug, report_type, status, start_time)"
        " SELECT 'run ' || n / 100, n % 1000, 'reporting.v' || n % 1000, 'v', n % 50, 'agency ' || n % 50, 'custom',"
        " CASE WHEN n % 200 = 0 THEN 'error' ELSE 'success' END, now() - n * interval '5 minutes'"
        f" FROM generate_series(1, {rows}) AS n"
    )
    sql("ANALYZE reporting.seeder_run_history")


ASKED = [
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
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: "&".join(f"{key}={value}" for key, value in asked.items()))
def test_the_history_is_never_read_from_end_to_end(asked: dict[str, str]) -> None:
    client = visitor(*READING)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        seen(client, "runhistory/", **asked)
    asked_of_history = [one["sql"] for one in captured if "seeder_run_history" in one["sql"]]
    assert asked_of_history
    for statement in asked_of_history:
        assert not re.search(r"SELECT DISTINCT", statement)
        [(plan,)] = sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.replace('%', '%%')}")
        assert touched(plan if isinstance(plan, list) else json.loads(plan)) <= MAX_COUNTED_ROWS + 1, statement


def touched(plan: Any) -> int:
    """How many rows of tables were looked at, those that were thrown away among them."""

    def of(node: Any) -> int:
        is_table = node["Node Type"].endswith("Scan") and node["Node Type"] != "Bitmap Index Scan"
        looked_at = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        return int(is_table * node["Actual Loops"] * looked_at) + sum(map(of, node.get("Plans", [])))

    return of(plan[0]["Plan"])


def test_the_lists_take_as_many_queries_for_one_row_as_for_many() -> None:
    client = visitor(*READING, "view_errors")
    numbers = []
    for rows in (0, 60):
        fill(rows or 1)
        for one in range(rows):
            create_custom_manifest(f"reporting.v{one}", "SELECT 1 AS n")
        taken = {}
        for place in ("runhistory/", "jobstatus/", "run/", "releasesnapshot/", "monitoring/"):
            with CaptureQueriesContext(connection) as captured:
                seen(client, place)
            taken[place] = len(captured)
        numbers.append(taken)
    assert numbers[0] == numbers[1]


def test_years_months_and_days_come_from_the_ends_alone() -> None:
    RunHistory.objects.all().delete()
    spans = DateRangeQuerySet(model=RunHistory)
    assert spans.datetimes("start_time", "year") == []
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
    assert [at.year for at in spans.datetimes("start_time", "year")] == [2024, 2025]
    assert [at.month for at in spans.datetimes("start_time", "month")] == [11, 12, 1, 2]
    days = [f"{at:%Y-%m-%d}" for at in spans.datetimes("start_time", "day", order="DESC")]
    assert (len(days), days[0], days[-1]) == (64, "2025-02-01", "2024-11-30")
    with timezone.override("America/New_York"):
        assert spans.datetimes("start_time", "day")[-1].day == 31


@pytest.mark.parametrize(
    "table", ["seeder_run", "seeder_run_metrics", "seeder_queued_refresh", "seeder_circuit_breaker"]
)
def test_an_optional_table_may_be_missing(table: str) -> None:
    run_id = Run.objects.get().run_id
    sql(f"DROP TABLE reporting.{table} CASCADE")
    client = visitor(*READING, "refresh_views")
    for place in (
        "monitoring/",
        "runhistory/",
        "jobstatus/",
        "run/",
        "releasesnapshot/",
        "monitoring/view/?table=reporting.bad",
    ):
        seen(client, place)
    row = RunHistory.objects.get(table_name="reporting.bad")
    seen(client, f"runhistory/{row.pk}/change/")
    answer = client.get(f"/admin/seeder/monitoring/run/{run_id}/")
    assert answer.status_code == (503 if table == "seeder_run" else 200)
    client.post("/admin/seeder/monitoring/", {"refresh": "reporting.good"})


def test_without_the_contracts_tables_a_page_says_so() -> None:
    client = visitor(*READING)
    sql("DROP SCHEMA reporting CASCADE")
    for place in ("monitoring/", "runhistory/", "jobstatus/", "releasesnapshot/", "runhistory/1/history/"):
        answer = client.get(f"/admin/seeder/{place}")
        assert answer.status_code == 503
        assert "install_schema" in answer.content.decode()


@pytest.mark.parametrize(
    "asked",
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
def test_whatever_the_address_says_there_is_a_page(asked: str) -> None:
    assert visitor(*READING).get(f"/admin/seeder/monitoring/{asked}").status_code == 200


@pytest.mark.parametrize(
    "place",
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
def test_what_is_not_there_is_not_found(place: str) -> None:
    assert visitor(*READING).get(f"/admin/seeder/monitoring/{place}").status_code == 404


@pytest.mark.parametrize("spelled", ["bare", "Reporting.BARE"])
def test_a_snapshot_leads_to_its_view_however_the_manifest_spells_it(spelled: str) -> None:
    create_custom_manifest(spelled, "SELECT 1 AS n", agency="harbor")
    orchestrator.execute_run(AgencyReports(slug="harbor"), requested_by="a test")
    release_snapshots.capture_release_snapshot(spelled, "1")
    client = visitor(*READING)
    [place] = set(re.findall(r'href="([^"]*table=[^"]*bare)"', seen(client, "releasesnapshot/")))
    assert client.get(place).status_code == 200


def test_snapshots_are_chosen_by_their_numbers_where_the_host_groups_digits(settings: Settings) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    sql("SELECT setval('reporting.seeder_release_snapshot_id_seq', 1233)")
    release_snapshots.capture_release_snapshot("reporting.good", "2026.12")
    page = seen(visitor(*READING), "monitoring/view/", table="reporting.good")
    assert set(re.findall(r'name="(base|compare)" value="(12[^"]*)"', page)) == {("base", "1234"), ("compare", "1234")}


def test_where_the_host_wants_a_transaction_around_each_request_the_pages_can_be_asked_too() -> None:
    client = visitor(*READING, "refresh_views", "capture_releasesnapshot")
    chosen = {"_selected_action": ["reporting.bad"]}
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        client.post("/admin/seeder/monitoring/", {"refresh": "reporting.good"})
        client.post("/admin/seeder/monitoring/view/?table=reporting.shared", {"refresh": "reporting.shared"})
        client.post("/admin/seeder/jobstatus/", {"action": "refresh", **chosen})
        client.post("/admin/seeder/jobstatus/", {"action": "capture", "release_tag": "1", **chosen})
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert QueuedRefresh.objects.count() == 3


def test_where_a_worker_is_knows_who_sees_all_agencies(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": f"{__name__}.by_name"}
    enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test")
    part_rows.claim(QueuedRefresh.objects.get(), run_id="gone", worker="inner-host:7")
    assert "inner-host:7" in seen(visitor(*READING), "monitoring/")
    page = seen(visitor(*READING, name="demo"), "monitoring/")
    assert "worker lost" in page
    assert "inner-host" not in page


@pytest.mark.parametrize(
    ("permission", "heading"), [("view_queuedrefresh", "queue-heading"), ("view_run", "runs-heading")]
)
def test_the_queue_and_the_latest_runs_take_the_permissions_that_the_api_takes(permission: str, heading: str) -> None:
    others = [name for name in READING if name != permission]
    assert heading not in seen(visitor(*others), "monitoring/")
    page = seen(visitor("view_jobstatus", permission, name="reader"), "monitoring/")
    assert heading in page
    assert "latest-" not in page  # a link to a page that is not for them


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("page", ["change", "history", "delete"])
def test_a_row_that_cannot_be_is_not_found(model: str, page: str) -> None:
    assert visitor(*READING).get(f"/admin/seeder/{model}/%00/{page}/").status_code in {302, 403}


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("runhistory/?table_name=%00", 404),
        ("runhistory/?status=%00", 404),
        ("runhistory/?start_time__year=99999999999", 400),
        ("run/?started_at__year=99999999999", 400),
    ],
)
def test_what_no_row_can_have_is_no_fault_of_the_server(asked: str, status: int) -> None:
    assert visitor(*READING).get(f"/admin/seeder/{asked}").status_code == status


@pytest.mark.parametrize("key", ["x", "", "1.5"])
def test_an_action_on_what_is_no_row_is_refused(key: str) -> None:
    chosen = {"action": "compare", "_selected_action": key}
    assert visitor(*READING).post("/admin/seeder/releasesnapshot/", chosen).status_code == 400


def test_an_action_on_a_row_that_is_not_there_does_nothing() -> None:
    chosen = {"action": "compare", "_selected_action": "99999999999999999999"}
    assert visitor(*READING).post("/admin/seeder/releasesnapshot/", chosen).status_code == 302


def test_two_snapshots_of_two_views_are_not_compared() -> None:
    first, other = (
        release_snapshots.capture_release_snapshot(f"reporting.{name}", "2026.12").id for name in ("good", "shared")
    )
    answer = visitor(*READING).get(f"/admin/seeder/monitoring/drift/?base={first}&compare={other}")
    assert answer.status_code == 400
    assert "reporting.shared" in answer.content.decode()


def test_a_capture_of_what_others_see_is_told_apart_from_none(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": f"{__name__}.by_name"}
    release_snapshots.capture_release_snapshot("reporting.shared", "2026.11")
    sql("DELETE FROM reporting.seeder_canned_report_manifest WHERE agency_slug = 'demo'")
    demo = visitor(*READING, name="demo")
    page = seen(demo, "releasesnapshot/")
    assert "reporting.good" in page
    assert "reporting.shared" not in page

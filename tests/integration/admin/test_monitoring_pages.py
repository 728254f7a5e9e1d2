"""The monitoring pages in the admin: contents, agency scope and errors."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings

from seeder.domain.refresh_requests import AgencyReports, AllReports, SingleView
from seeder.domain.view_names import ViewName
from seeder.models import CircuitBreaker, JobStatus, QueuedRefresh, Run, RunHistory, RunMetrics
from seeder.services.queue import enqueue, part_rows, schedules
from seeder.services.run import orchestrator
from seeder.services.snapshots import release_snapshots
from seeder.templatetags.seeder_pages import day_and_time
from tests.conftest import another_session, create_custom_manifest, sql
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


def test_open_breaker_says_since_when_why_and_until_when(settings: Settings) -> None:
    reader = client_with(*READER_PERMISSIONS)
    assert "circuit breaker" not in get_page(reader, "monitoring/")
    sql(
        "INSERT INTO reporting.seeder_circuit_breaker (database_alias, failures, opened_at, causes)"
        """ VALUES ('default', 1, now(), '{"reporting.bad": "disk_full"}') ON CONFLICT (database_alias) DO UPDATE"""
        " SET (failures, opened_at, causes) = (excluded.failures, excluded.opened_at, excluded.causes)"
    )
    text = shown_text(reader)
    assert "Paused No refresh starts in the database default : the circuit breaker is open since" in text
    assert "after 1 failure in a row: reporting.bad (disk_full). One view is tried at" in text
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    text = shown_text(client_with(*READER_PERMISSIONS, name="demo"))
    assert "after 1 failure in a row. One view is tried at" in text
    CircuitBreaker.objects.update(opened_at=timezone.now() - timedelta(days=1))
    assert "The next run tries one view." in shown_text(reader)


def test_throttle_of_a_living_run_is_a_pause() -> None:
    reader = client_with(*READER_PERMISSIONS)
    hold = {"database": "default", "reason": "server_busy", "from": timezone.now().isoformat(), "until": None}
    Run.objects.update(finished_at=None, holds=[hold])
    assert "the throttle waits" not in shown_text(reader), "the run was killed"
    with another_session() as other:
        key = f"seeder.run {Run.objects.get().run_id}"
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
        assert "the throttle waits since today" in shown_text(reader)


def test_failing_view_says_since_when_and_links_its_reason() -> None:
    row = RunHistory.objects.get(table_name="reporting.bad")
    earlier, ok = row.start_time - timedelta(days=1), row.start_time - timedelta(days=2)
    RunHistory.objects.bulk_create(
        RunHistory(**{**facts(row), "start_time": start, "status": status})
        for start, status in ((earlier, "error"), (ok, "success"), (ok - timedelta(days=1), "error"))
    )
    page = get_page(client_with(*READER_PERMISSIONS), "monitoring/")
    assert f"since <b>{day_and_time(earlier)}</b>" in page
    assert f"last success {day_and_time(ok)}" in page
    url = "https://github.com/reporting-seeder/reporting-seeder/blob/main/docs/reference/reasons.md"
    assert f'href="{url}#invalid_text_representation">invalid_text_representation</a>' in page


def test_late_view_is_listed_once() -> None:
    JobStatus.objects.filter(table_name="reporting.good").update(start_time=timezone.now() - timedelta(hours=27))
    JobStatus.objects.filter(table_name="reporting.bad").update(start_time=timezone.now() - timedelta(hours=27))
    text = attention(client_with(*READER_PERMISSIONS))
    assert text.count("Report reporting.bad") == 1
    assert "Late Report reporting.good last success" in text
    assert "late after 26 hours" in text
    assert text.count("Late") == 1


def test_missing_worker_is_a_problem_with_a_command() -> None:
    schedules.sync_schedules()
    reader = client_with(*READER_PERMISSIONS)
    assert "Next scheduled run" in shown_text(reader)
    Schedule.objects.filter(name__endswith="resume the queue").update(next_run=timezone.now() - timedelta(minutes=9))
    text = shown_text(reader)
    assert "No cluster has looked for due schedules since today" in text
    assert "Start manage.py watch_queue" in text
    assert "Next scheduled run" not in text


def test_view_that_data_checks_held_is_shown_as_held() -> None:
    reader = client_with(*READER_PERMISSIONS)
    assert "Failing Report reporting.bad" in attention(reader)
    assert "</svg>failed</span>" in get_page(reader, "monitoring/view/?table=reporting.bad")
    RunMetrics.objects.filter(history__table_name="reporting.bad").update(reason="held")
    assert "Held Report reporting.bad" in attention(reader)
    assert "</svg>held</span>" in get_page(reader, "monitoring/")
    assert "</svg>held</span>" in get_page(reader, "monitoring/view/?table=reporting.bad")


def test_pages_count_a_run_in_views_like_the_commands() -> None:
    [run_id] = RunHistory.objects.filter(table_name="reporting.shared").values_list("run_id", flat=True).distinct()
    views = RunHistory.objects.filter(run_id=run_id).values("table_name").distinct().count()
    assert RunHistory.objects.filter(run_id=run_id).count() > views
    reader = client_with(*READER_PERMISSIONS)
    assert f"{views} views: {views - 1} succeeded, 1 failed" in get_page(reader, f"monitoring/run/{run_id}/")
    assert f"{views - 1} of {views} views refreshed, 1 failed" in get_page(reader, "monitoring/")


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
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test")
    part_rows.claim(QueuedRefresh.objects.get(), run_id="gone", worker="inner-host:7")
    assert "inner-host:7" in get_page(client_with(*READER_PERMISSIONS), "monitoring/")
    page = get_page(client_with(*READER_PERMISSIONS, name="demo"), "monitoring/")
    assert "worker lost" in page
    assert "inner-host" not in page


def test_cancel_link_requires_a_confirmation() -> None:
    operator = client_with(*READER_PERMISSIONS, "refresh_views")
    request_id = enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test").request_id
    part = QueuedRefresh.objects.get()
    assert f'id="cancel-{part.pk}"' in get_page(operator, "monitoring/")
    part_rows.claim(part, run_id="gone", worker="host:7")
    url = f"/admin/seeder/monitoring/cancel/?request={request_id}&next=/admin/seeder/monitoring/%3Fpage%3D1"
    assert "Cancel the request for the agency" in operator.get(url).content.decode()
    assert not QueuedRefresh.objects.exclude(cancel_requested_at=None).exists()
    assert operator.post(url).headers["Location"] == "/admin/seeder/monitoring/?page=1"
    page = get_page(operator, "monitoring/")
    assert "stops within seconds" in page
    assert "cancelled by" in page
    assert f'id="cancel-{part.pk}"' not in page
    QueuedRefresh.objects.update(state="ended")
    operator.post(url)
    assert "has ended, so it cannot be cancelled" in get_page(operator, "monitoring/")
    operator.post("/admin/seeder/monitoring/", {"cancel": "\0"})
    assert "There is no queued request" in get_page(operator, "monitoring/")


def test_refresh_link_requires_a_confirmation() -> None:
    operator = client_with(*READER_PERMISSIONS, "refresh_views")
    url = "/admin/seeder/monitoring/refresh/?table=reporting.good"
    assert f'href="{url}&amp;next=/admin/seeder/monitoring/' in get_page(operator, "monitoring/").replace("%2F", "/")
    assert "Refresh Report reporting.good?" in operator.get(url).content.decode()
    assert not QueuedRefresh.objects.exists()
    assert operator.post(f"{url}&next=https://elsewhere.example/").headers["Location"] == "/admin/seeder/monitoring/"
    assert QueuedRefresh.objects.get().requested_by == "user"
    assert operator.get(f"{url}.other").status_code == 404
    assert client_with(*READER_PERMISSIONS, name="reader").get(url).status_code == 403


def test_cancel_link_requires_the_permission_and_all_agencies(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    request_id = str(enqueue.enqueue_refresh(AllReports(), requested_by="a test").request_id)
    url = f"/admin/seeder/monitoring/cancel/?request={request_id}"
    reader = client_with(*READER_PERMISSIONS)
    assert 'id="cancel-' not in get_page(reader, "monitoring/")
    assert reader.post(url).status_code == 403
    demo = client_with(*READER_PERMISSIONS, "refresh_views", name="demo")
    demo.post(url)
    assert "agencies that you may not see" in get_page(demo, "monitoring/")
    assert {part.state for part in QueuedRefresh.objects.all()} == {"queued"}


def test_part_of_living_worker_is_not_marked_lost() -> None:
    enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test")
    part_rows.claim(QueuedRefresh.objects.get(), run_id="alive", worker="host:7")
    with another_session() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('seeder.run alive', 0))")
        page = get_page(client_with(*READER_PERMISSIONS), "monitoring/")
    assert "host:7" in page
    assert "worker lost" not in page


def test_part_of_split_request_shows_its_number() -> None:
    sql(
        "INSERT INTO reporting.seeder_queued_refresh"
        " (request_id, part, parts, description, requested_by, manifests, views, agencies, state, requested_at)"
        " VALUES ('r', 1, 2, 'all', 'a test', '[]', '[]', '[]', 'queued', now())"
    )
    assert "part 1 of 2" in get_page(client_with(*READER_PERMISSIONS), "monitoring/")


def test_list_of_views_has_pages() -> None:
    for number in range(60):
        create_custom_manifest(f"reporting.v{number}", "SELECT 1 AS n")
    reader = client_with(*READER_PERMISSIONS)
    assert 'href="?show=late&amp;page=2"' in get_page(reader, "monitoring/", show="late")
    page = get_page(reader, "monitoring/", page="2")
    assert "Page 2 of 2, 63 views" in page
    assert 'href="?page=1"' in page
    assert '<a href="?">First page</a>' in get_page(reader, "monitoring/", page="3")


def test_queue_and_runs_require_their_permissions() -> None:
    enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test")
    page = get_page(client_with("view_jobstatus"), "monitoring/")
    assert "Queue" not in page
    assert "All runs" not in page
    assert "requested by" not in page
    assert "column-" not in page  # no link to a page without permission
    page = get_page(client_with(*READER_PERMISSIONS, name="reader"), "monitoring/")
    assert "queue-heading" in page
    assert "All runs" in page
    assert "column-" in page


def test_comparison_of_different_views_is_rejected() -> None:
    first, other = (
        release_snapshots.capture_release_snapshot(f"reporting.{name}", "2026.12").id for name in ("good", "shared")
    )
    response = client_with(*READER_PERMISSIONS).get(f"/admin/seeder/monitoring/drift/?base={first}&compare={other}")
    assert response.status_code == 400
    assert "reporting.shared" in response.content.decode()


def test_first_line_is_the_night_beside_the_previous_one(settings: Settings) -> None:
    reader = client_with(*READER_PERMISSIONS)
    night = Run.objects.get()
    assert "2 of 3 views refreshed, 1 failed" in nights(reader)
    earlier = night.started_at - timedelta(days=1)
    Run.objects.filter(pk=night.pk).update(started_at=earlier, finished_at=earlier + timedelta(minutes=41))
    orchestrator.execute_run(SingleView(name=ViewName.parse("reporting.good")), requested_by="operator")
    assert "2 of 3 views refreshed, 1 failed" in nights(reader), "a run by hand is no night"
    orchestrator.execute_run(AllReports(), requested_by="a test")
    text = nights(reader)
    times = r"(today|yesterday) \d\d:\d\d \N{EN DASH} \d\d:\d\d"
    assert re.search(rf"Last night {times} 2 of 3 views refreshed, 1 failed Timeline", text)
    assert "Previous night" in text
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    assert "2 of 2 views refreshed" in nights(client_with(*READER_PERMISSIONS, name="demo"))


def test_first_line_shows_a_killed_run_and_a_missing_night() -> None:
    reader = client_with(*READER_PERMISSIONS)
    Run.objects.update(finished_at=None)
    RunHistory.objects.filter(table_name="reporting.good").update(status="running")
    assert "interrupted (killed): 1 of 3 views refreshed, 1 failed, 1 interrupted" in nights(reader)
    with another_session() as other:
        key = f"seeder.run {Run.objects.get().run_id}"
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
        assert "running: 1 of 3 views refreshed, 1 failed, 1 running" in nights(reader)
    Run.objects.update(started_at=F("started_at") - timedelta(hours=27))
    assert "No nightly run has started since" in nights(reader)


def test_overdue_schedule_is_a_missing_night() -> None:
    schedules.sync_schedules()
    assert "No nightly run" not in nights(client_with(*READER_PERMISSIONS))
    Run.objects.update(started_at=F("started_at") - timedelta(hours=3))
    Schedule.objects.filter(cron__isnull=False).update(next_run=timezone.now() - timedelta(hours=2))
    assert "No nightly run has started since" in nights(client_with(*READER_PERMISSIONS, name="another"))


def test_page_of_an_agency_shows_only_its_views() -> None:
    reader = client_with(*READER_PERMISSIONS)
    response = reader.get("/admin/seeder/monitoring/", {"agency": "metro", "q": "s"})
    assert response.headers["Location"] == "/admin/seeder/monitoring/agency/metro/?q=s"
    page = get_page(reader, "monitoring/agency/metro/")
    assert "Monitoring of metro" in page
    assert "1 of 2 views refreshed, 1 failed" in page
    assert "reporting.good" not in page
    assert reader.get("/admin/seeder/monitoring/agency/none/").status_code == 404
    left = reader.get("/admin/seeder/monitoring/agency/metro/", {"agency": ""})
    assert left.headers["Location"] == "/admin/seeder/monitoring/"


def test_page_of_a_hidden_agency_is_not_found(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    demo = client_with(*READER_PERMISSIONS, name="demo")
    assert demo.get("/admin/seeder/monitoring/agency/metro/").status_code == 404
    assert demo.get("/admin/seeder/monitoring/agency/demo/").status_code == 200


def test_grid_has_a_column_for_each_run_and_names_each_state() -> None:
    orchestrator.execute_run(SingleView(name=ViewName.parse("reporting.good")), requested_by="operator")
    bad = RunHistory.objects.get(table_name="reporting.bad")
    night, by_hand = Run.objects.order_by("started_at").values_list("run_id", flat=True)
    reader = client_with(*READER_PERMISSIONS)
    page = get_page(reader, "monitoring/")
    assert page.index(f"column-{night}") < page.index(f"column-{by_hand}")
    assert cells(page, "reporting.good") == ["refreshed", "refreshed"]
    assert cells(page, "reporting.bad") == ["failed", "not part of it"]
    RunHistory.objects.filter(pk=bad.pk).update(errors="interrupted: SIGTERM")
    assert cells(get_page(reader, "monitoring/"), "reporting.bad") == ["interrupted", "not part of it"]


def test_grid_hides_refreshes_for_other_agencies(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    RunHistory.objects.filter(table_name="reporting.shared", agency_slug="demo").delete()
    assert cells(get_page(client_with(*READER_PERMISSIONS), "monitoring/"), "reporting.shared") == ["refreshed"]
    demo = client_with(*READER_PERMISSIONS, name="demo")
    assert cells(get_page(demo, "monitoring/"), "reporting.shared") == ["not part of it"]


def cells(page: str, table_name: str) -> list[str]:
    """Return the accessible names of a row's cells."""
    [row] = re.findall(rf'<tr id="row-(?:(?!</tr>).)*: {table_name}".*?</tr>', page, re.DOTALL)
    return re.findall(r'role="img" aria-label="([^"]*)"', row)


def attention(client: Client) -> str:
    """Return the text of what needs attention."""
    [section] = re.findall(r'<section class="attention".*?</section>', get_page(client, "monitoring/"), re.DOTALL)
    return text_of(section)


def shown_text(client: Client) -> str:
    return text_of(get_page(client, "monitoring/"))


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def facts(row: RunHistory) -> dict[str, object]:
    names = ["run_id", "manifest_id", "table_name", "report_name", "agency_id", "agency_slug", "report_type", "errors"]
    return {name: getattr(row, name) for name in names}


def nights(client: Client) -> str:
    """Return the text of the first lines of the page."""
    [section] = re.findall(r'<section class="nights".*?</section>', get_page(client, "monitoring/"), re.DOTALL)
    return text_of(section)

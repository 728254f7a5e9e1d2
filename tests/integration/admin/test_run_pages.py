"""The page of a run: what failed, rows and modes of its refreshes, and what can be done."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.models import F
from pytest_django import Settings

from seeder.domain import lock_keys
from seeder.domain.refresh_requests import AgencyReports
from seeder.models import QueuedRefresh, Run, RunHistory, RunMetrics
from seeder.services.queue import enqueue, part_rows
from seeder.services.run.run_liveness_lock import RunLock
from tests.acceptance.scale.database_time import measure
from tests.conftest import another_session, sql
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, get_page

OPERATOR = (*READER_PERMISSIONS, "refresh_views", "view_errors")


def run_id() -> str:
    return Run.objects.get().run_id


def run_path(action: str = "") -> str:
    return f"monitoring/run/{run_id()}/{action}"


def messages(page: str) -> str:
    """Return the messages of Django's framework."""
    return " ".join(re.findall(r'<ul class="messagelist">.*?</ul>', page, re.DOTALL))


def test_page_of_run_shows_inserted_and_deleted_rows() -> None:
    row = RunHistory.objects.get(table_name="reporting.good")
    RunMetrics.objects.filter(pk=row.pk).update(rows_inserted=1234567, rows_deleted=7654321)
    page = get_page(client_with(*READER_PERMISSIONS), f"monitoring/run/{row.run_id}/")
    assert "1,234,567 inserted, 7,654,321 deleted<" in page


def test_page_of_run_shows_mode_with_reason_and_unchanged_rows() -> None:
    row = RunHistory.objects.get(table_name="reporting.good")
    RunHistory.objects.filter(pk=row.pk).update(records_processed=5000)
    reason = "Concurrent, because <it> must."
    RunMetrics.objects.filter(pk=row.pk).update(mode="concurrent", mode_reason=reason, rows_inserted=7, rows_deleted=3)
    reader = client_with(*READER_PERMISSIONS)
    page = get_page(reader, f"monitoring/run/{row.run_id}/")
    assert "4,993 unchanged<" in page
    assert '<span class="quiet">Concurrent, because &lt;it&gt; must.</span>' in page
    RunMetrics.objects.filter(pk=row.pk).update(mode="plain", mode_reason=None)
    page = get_page(reader, f"monitoring/run/{row.run_id}/")
    assert '<span class="quiet">plain</span>' in page


def test_failure_stands_first_with_reason_message_and_history() -> None:
    page = get_page(client_with(*OPERATOR), run_path())
    assert page.index('id="failures-heading"') < page.index('id="timeline-heading"')
    failure = page[page.index('<ol class="failures">') : page.index("</ol>", page.index('<ol class="failures">'))]
    assert "/docs/reference/reasons.md#invalid_text_representation" in failure
    assert "invalid input syntax for type integer: &quot;secret&quot;" in failure
    assert "Never succeeded." in failure
    RunHistory.objects.filter(table_name="reporting.bad").update(
        errors="column x is wrong\nLINE 1: SELECT x\n               ^", consecutive_failures=2
    )
    add_earlier_success_and_failure()
    page = get_page(client_with("view_runhistory", "view_errors", name="other"), run_path())
    assert '<pre tabindex="0">LINE 1: SELECT x\n               ^</pre>' in page
    assert re.search(r"Failing since <time datetime=\"[^\"]*\">30 Nov 2026 01:00 UTC</time>, 2 failures in a row", page)
    assert "Last success <time" in page


def add_earlier_success_and_failure() -> None:
    row = RunHistory.objects.get(table_name="reporting.bad")
    for night, status in ((29, "success"), (30, "error")):
        row.pk, row.run_id, row.status = None, f"night {night}", status
        row.consecutive_failures = int(status == "error")
        row.start_time = row.start_time.replace(2026, 11, night, 1, 0)
        row.save(force_insert=True)


def test_message_of_a_failure_needs_the_permission() -> None:
    page = get_page(client_with(*READER_PERMISSIONS), run_path())
    assert "reasons.md#invalid_text_representation" in page
    assert "Its message can quote the data" in page
    assert "secret" not in page


def test_interrupted_views_are_listed_only_if_they_had_started() -> None:
    rows = RunHistory.objects.filter(table_name="reporting.good")
    rows.update(status="error", errors="interrupted: SIGTERM", start_time=F("created_at") + timedelta(seconds=1))
    page = get_page(client_with(*OPERATOR), run_path())
    assert re.search(
        r'class="bar-state interrupted">.*?</svg>interrupted</span>\s*<a [^>]*>Report reporting.good', page
    )
    assert "interrupted: SIGTERM" in page
    assert "3 views: 1 succeeded, 1 failed, 1 interrupted." in page
    rows.update(start_time=F("created_at"))
    page = get_page(client_with(*OPERATOR, name="other"), run_path())
    assert "Not started before the run ended: 1 view." in page
    assert "interrupted: SIGTERM" not in page


def test_held_view_is_listed_as_held() -> None:
    RunMetrics.objects.filter(history__table_name="reporting.bad").update(reason="held")
    assert "</svg>held</span>" in get_page(client_with(*OPERATOR), run_path())


def test_retry_queues_what_failed_after_a_confirmation() -> None:
    operator = client_with(*OPERATOR)
    assert f'href="/admin/seeder/{run_path("retry/")}"' in get_page(operator, run_path())
    confirmation = get_page(operator, run_path("retry/"))
    assert "Retry 1 view?" in confirmation
    assert "reporting.bad" in confirmation
    assert "reporting.good" not in confirmation
    assert not QueuedRefresh.objects.exists()
    response = operator.post(f"/admin/seeder/{run_path('retry/')}")
    assert (response.status_code, response["Location"]) == (302, f"/admin/seeder/{run_path()}")
    assert "The failed views are queued." in messages(get_page(operator, run_path()))
    part = QueuedRefresh.objects.get()
    assert (part.views, part.requested_by) == ([["default", "reporting.bad"]], "user")
    operator.post(f"/admin/seeder/{run_path('retry/')}")
    assert "The failed views are already queued." in messages(get_page(operator, run_path()))


@pytest.fixture
def _running_part() -> Iterator[None]:
    """The run is unfinished, and a worker of the queue runs it."""
    enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="a test")
    QueuedRefresh.objects.update(agencies=["demo", "metro"])
    part_rows.claim(QueuedRefresh.objects.get(), run_id=run_id(), worker="host:7")
    Run.objects.update(finished_at=None)
    with RunLock(run_id()):
        yield


@pytest.mark.usefixtures("_running_part")
def test_cancel_stops_a_queued_run_after_a_confirmation() -> None:
    operator = client_with(*OPERATOR)
    assert f'href="/admin/seeder/{run_path("cancel/")}"' in get_page(operator, run_path())
    assert "Cancel this run?" in get_page(operator, run_path("cancel/"))
    assert QueuedRefresh.objects.get().cancel_requested_at is None
    operator.post(f"/admin/seeder/{run_path('cancel/')}")
    page = get_page(operator, run_path())
    assert "stops within seconds" in messages(page)
    assert "cancelled by <bdi>user</bdi>" in page
    assert 'id="cancel"' not in page
    assert QueuedRefresh.objects.get().cancel_requested_by == "user"


def test_run_of_a_command_is_cancelled_by_its_own_row() -> None:
    Run.objects.update(finished_at=None)
    operator = client_with(*OPERATOR)
    assert 'id="cancel"' not in get_page(operator, run_path()), "of a killed run"
    with another_session() as command:  # holds the lock of a living run
        command.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [lock_keys.of_run(run_id())])
        assert 'id="cancel"' in get_page(operator, run_path())
        operator.post(f"/admin/seeder/{run_path('cancel/')}")
        page = get_page(operator, run_path())
    assert "stops within seconds" in messages(page)
    assert "cancelled by <bdi>user</bdi>" in page
    assert 'id="cancel"' not in page


@pytest.mark.usefixtures("_running_part")
def test_actions_require_the_permission() -> None:
    reader = client_with(*READER_PERMISSIONS)
    page = get_page(reader, run_path())
    assert 'id="retry"' not in page
    assert 'id="cancel"' not in page
    for action in ("retry/", "cancel/"):
        assert reader.get(f"/admin/seeder/{run_path(action)}").status_code == 403
        assert reader.post(f"/admin/seeder/{run_path(action)}").status_code == 403
    assert QueuedRefresh.objects.get().cancel_requested_at is None


@pytest.mark.usefixtures("_running_part")
def test_actions_are_limited_to_visible_agencies(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    demo = client_with(*OPERATOR, name="demo")
    page = get_page(demo, run_path())
    assert "reporting.bad" not in page  # of metro
    assert 'id="retry"' not in page
    assert "Nothing to retry" in get_page(demo, run_path("retry/"))
    demo.post(f"/admin/seeder/{run_path('retry/')}")
    assert "nothing to retry" in messages(get_page(demo, run_path()))
    demo.post(f"/admin/seeder/{run_path('cancel/')}")
    assert "agencies that you may not see" in messages(get_page(demo, run_path()))
    part = QueuedRefresh.objects.get()
    assert part.cancel_requested_at is None
    Run.objects.update(agencies={"metro": {}})
    assert demo.get(f"/admin/seeder/{run_path('retry/')}").status_code == 404


def add_previous_run(run_id: str, hours: int, agency: str = "demo", **columns: object) -> None:
    """Copy the run as one that started hours before, in which `good` took a minute and `bad` succeeded."""
    run = Run.objects.latest("started_at")
    rows = list(RunHistory.objects.filter(run_id=run.run_id))
    age = timedelta(hours=hours)
    Run.objects.create(
        run_id=run_id,
        started_at=run.started_at - age,
        finished_at=run.started_at - age + timedelta(seconds=90),
        **{
            "description": run.description,
            "requested_by": "a test",
            "workers": 1,
            "manifests": 1,
            "agencies": {agency: {"manifests": 1, "succeeded": 1, "failed": 0}},
            **columns,
        },
    )
    for row in rows:
        if row.table_name != "reporting.shared" and row.agency_slug in {agency, "metro"}:
            row.pk, row.run_id, row.status, row.errors = None, run_id, "success", None
            row.start_time -= age
            row.finish_time = row.start_time + timedelta(seconds=60)
            row.save(force_insert=True)


def compared(page: str) -> list[tuple[str, str]]:
    """Return the changes with their views."""
    [table] = re.findall(r'<table class="list changed-views">.*?</table>', page, re.DOTALL) or [""]
    return re.findall(r'<td class="change [^"]*">([^<]*)</td><th scope="row"><a [^>]*>([^<]*)</a>', table)


def test_run_is_compared_with_the_one_before() -> None:
    path = run_path()
    assert "Compared with the run before" not in get_page(client_with(*OPERATOR, name="first"), path)
    add_previous_run("older", 48)
    add_previous_run("yesterday", 24)
    add_previous_run("stopped", 2, stopped_by="SIGTERM")
    add_previous_run("another", 1, description="another request")
    page = get_page(client_with(*OPERATOR), path)
    assert 'id="run-before" href="/admin/seeder/monitoring/run/yesterday/"' in page
    assert "took 1 min 30 s." in page
    assert re.search(r"This one took 1 min (29|30) s less\.", page)
    assert compared(page) == [
        ("newly failing", "Report reporting.bad"),
        ("faster", "Report reporting.good"),
        ("new", "Canned reporting.shared"),
    ]


def test_comparison_has_only_visible_agencies(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    path = run_path()
    add_previous_run("of metro", 1, agency="metro")
    add_previous_run("of demo", 2)
    page = get_page(client_with(*OPERATOR, name="demo"), path)
    assert "run/of%20demo/" in page
    assert compared(page) == [("faster", "Report reporting.good"), ("new", "Canned reporting.shared")]


def test_part_of_a_request_is_not_compared_with_another_part() -> None:
    path = run_path()
    add_previous_run("other part", 1)
    RunHistory.objects.filter(run_id="other part").update(table_name="reporting.other")
    assert "Compared with the run before" not in get_page(client_with(*OPERATOR), path)


def test_page_of_a_large_run_takes_as_many_statements() -> None:
    reader = client_with(*OPERATOR)
    get_page(reader, run_path())
    small = measure(lambda: get_page(reader, run_path())).statements
    names = ", ".join(
        str(field.column) for field in RunHistory._meta.fields if field.column not in {"id", "table_name"}
    )
    sql(
        f"INSERT INTO reporting.seeder_run_history (table_name, {names}) SELECT table_name || '_' || n, {names}"
        " FROM reporting.seeder_run_history, generate_series(1, 60) AS n WHERE table_name <> 'reporting.shared'"
    )
    page = get_page(reader, run_path())
    assert "123 views" in page
    assert "Page 1 of 2, 123 views" in page
    assert page.count('<li id="failure-') == 50
    assert "11 more views failed, were held or were interrupted." in page
    assert measure(lambda: get_page(reader, run_path())).statements == small
    assert 'href="?page=2#bars-heading"' in page
    last = get_page(reader, f"{run_path()}", page="2", sort="name")
    assert last.count('data-label="Worker"') == 23


def test_run_without_parallel_query_says_so() -> None:
    hint = "without parallel query while all are busy"
    reader = client_with(*READER_PERMISSIONS)
    assert hint not in get_page(reader, run_path())
    Run.objects.update(parallel_query={"default": False})
    assert hint in get_page(reader, run_path())

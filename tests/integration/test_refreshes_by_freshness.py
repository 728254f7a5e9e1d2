"""Schedules that refresh views with contracts just in time."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django_q.models import Schedule

from seeder import tasks
from seeder.domain.refresh_requests import AllReports, SelectedManifests
from seeder.models import Freshness, QueuedRefresh
from seeder.services.queue import due_refreshes
from seeder.services.run import orchestrator
from tests.conftest import CompletedCommand, create_canned_report, create_custom_manifest, sql

Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("empty_queue")
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _views(empty_queue: None) -> None:
    """A view of a view, another one, and one of another agency. Each was refreshed 59 minutes ago."""
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.a", agency="metro")
    create_custom_manifest("reporting.c", "SELECT 1 AS n")
    create_canned_report("reporting.d", "SELECT 1 AS n", agencies=("demo", "harbor"))
    orchestrator.execute_run(AllReports())
    make_older(59)


def make_older(minutes: int) -> None:
    for statement in (
        "UPDATE reporting.seeder_view_state SET data_as_of = data_as_of - make_interval(mins => %s)",
        "UPDATE reporting.seeder_job_status SET start_time = start_time - make_interval(mins => %s)",
        "UPDATE reporting.seeder_run_history SET start_time = start_time - make_interval(mins => %s)",
        "UPDATE reporting.seeder_run_history SET finish_time = finish_time - make_interval(mins => %s)",
    ):
        sql(statement, minutes)


def names(request: SelectedManifests) -> list[str]:
    """Return the names of the requested views."""
    rows = sql("SELECT table_name FROM reporting.seeder_custom_report_manifest ORDER BY id")
    canned = sql("SELECT table_name FROM reporting.seeder_canned_report ORDER BY id")
    spelled = {("custom", number): name for number, (name,) in enumerate(rows, 1)}
    spelled |= {("canned", number): canned[0][0] for number in (1, 2)}
    return sorted({spelled[str(kind), number].removeprefix("reporting.") for kind, number in request.manifests})


def test_due_view_is_requested_with_the_view_that_it_reads() -> None:
    assert names(due_refreshes.due_views()) == []
    Freshness.objects.create(table_name="reporting.b", target_lag=HOUR)
    Freshness.objects.create(table_name="reporting.c", target_lag=2 * HOUR)
    assert names(due_refreshes.due_views()) == ["a", "b"]


def test_contract_of_an_agency_counts_for_a_shared_view() -> None:
    Freshness.objects.create(agency_slug="harbor", target_lag=HOUR)
    assert names(due_refreshes.due_views()) == ["d"]


def test_task_queues_due_views_once_and_a_run_makes_them_fresh() -> None:
    Freshness.objects.create(table_name="reporting.b", target_lag=HOUR)
    assert len(tasks.refresh_due_views()["parts"]) == 1
    assert tasks.refresh_due_views() == {"requestId": None, "parts": [], "joined": False}
    [part] = QueuedRefresh.objects.all()
    assert part.views == [["default", "reporting.a"], ["default", "reporting.b"]]
    tasks.refresh_queued(part.pk)
    assert QueuedRefresh.objects.get().succeeded == 2
    assert tasks.refresh_due_views()["parts"] == []
    make_older(59)
    assert len(tasks.refresh_due_views()["parts"]) == 1


def test_views_without_contracts_are_requested_at_night() -> None:
    Freshness.objects.create(table_name="reporting.b", target_lag=HOUR)
    Freshness.objects.create(agency_slug="harbor", target_lag=HOUR)
    assert names(due_refreshes.views_without_contracts()) == ["a", "c"]
    [part] = tasks.refresh_views_without_contracts()["parts"]
    assert QueuedRefresh.objects.get(pk=part).description == "views without a freshness contract"


def test_declared_dependency_is_requested_too() -> None:
    create_custom_manifest("reporting.e", "SELECT 1 AS n\n-- depends_on: reporting.c")
    orchestrator.execute_run(AllReports())
    make_older(59)
    Freshness.objects.create(table_name="reporting.e", target_lag=HOUR)
    assert names(due_refreshes.due_views()) == ["c", "e"]


def test_option_replaces_the_nightly_schedule(manage: Manage) -> None:
    manage("schedule_refreshes")
    assert manage("schedule_refreshes", "--by-freshness").exit_code == 0
    assert dict(Schedule.objects.order_by("name").values_list("name", "func")) == {
        "seeder: due views": "seeder.tasks.refresh_due_views",
        "seeder: resume the queue": "seeder.tasks.resume_queue",
        "seeder: views without contracts": "seeder.tasks.refresh_views_without_contracts",
    }
    changes = manage("schedule_refreshes", "--by-freshness", "--json").document["schedules"]
    assert {change["action"] for change in changes} == {"kept"}
    manage("schedule_refreshes")
    assert set(Schedule.objects.values_list("name", flat=True)) == {"seeder: every report", "seeder: resume the queue"}

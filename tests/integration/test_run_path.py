"""What decided the duration of a run, by the catalog and the times of its rows."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.contrib.auth.models import User

from seeder.domain.monitoring.critical_path import CriticalPath, WaitedFor
from seeder.domain.refresh_requests import AllReports
from seeder.services.read_models import run_path, run_timeline
from seeder.services.run import orchestrator
from tests.conftest import create_custom_manifest, sql
from tests.integration.admin.admin_clients import client_with, get_page

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.fixture
def _users(contract_tables: None) -> Iterator[None]:
    yield
    User.objects.all().delete()


def run_chain() -> str:
    """Run a view that takes 0.25 s, one that reads it, and one that declares to read that one."""
    create_custom_manifest("reporting.a", "SELECT 1 AS n FROM pg_sleep(0.25)")
    create_custom_manifest("Reporting.B", "SELECT n FROM reporting.a, pg_sleep(0.05)", agency="metro")
    create_custom_manifest("reporting.c", "SELECT 1 AS n\n-- depends_on: reporting.b")
    return orchestrator.execute_run(AllReports(), requested_by="a test").run_id


def path_of(run_id: str, agencies: list[str] | None = None) -> CriticalPath:
    timeline = run_timeline.timeline(run_id, agencies)
    path = run_path.read_critical_path(timeline, sees_all_agencies=agencies is None)
    assert path is not None
    return path


def names(path: CriticalPath) -> list[tuple[str, WaitedFor]]:
    return [(step.bar.table_name, step.waited_for) for step in path.steps]


@pytest.mark.usefixtures("_users")
def test_path_follows_dependencies_of_catalog_and_queries() -> None:
    run_id = run_chain()
    path = path_of(run_id)
    chain = [
        ("reporting.a", WaitedFor.NOTHING),
        ("Reporting.B", WaitedFor.DEPENDENCY),
        ("reporting.c", WaitedFor.DEPENDENCY),
    ]
    assert names(path) == chain
    assert path.without_waits is not None
    assert 0.3 <= path.without_waits.total_seconds() <= path.duration.total_seconds()
    page = get_page(client_with("view_runhistory", name="path"), f"monitoring/run/{run_id}/")
    assert "Without waits this run could have taken 0." in page
    assert "reads <bdi>Report Reporting.B</bdi>" in page
    assert page.count('class="critical"') == 3


def test_path_of_some_agencies_names_no_view_of_others() -> None:
    run_id = run_chain()
    sql(
        "UPDATE reporting.seeder_run_history SET start_time = start_time + interval '5 s',"
        " finish_time = finish_time + interval '5 s' WHERE table_name = 'reporting.c'"
    )
    path = path_of(run_id, ["demo"])
    assert names(path) == [("reporting.c", WaitedFor.UNKNOWN)]
    assert (path.without_waits, path.with_same_workers) == (None, None)


def test_run_that_was_stopped_or_has_no_times_of_waits_has_no_path() -> None:
    run_id = run_chain()
    timeline = run_timeline.timeline(run_id, None)
    stopped = replace(timeline, run=replace(timeline.run, stopped_by="SIGTERM"))
    assert run_path.read_critical_path(stopped, sees_all_agencies=True) is None
    sql("DELETE FROM reporting.seeder_run_metrics")
    timeline = run_timeline.timeline(run_id, None)
    assert run_path.read_critical_path(timeline, sees_all_agencies=True) is None

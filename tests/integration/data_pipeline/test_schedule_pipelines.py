"""Schedules of the pipelines in the queue."""

from collections.abc import Callable
from types import ModuleType

import pytest
from django_q.models import Schedule
from pytest_django import Settings

from data_pipeline import CronSchedule, tasks
from data_pipeline.checks import check_schedules
from tests.conftest import CompletedCommand

Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("empty_queue")
REFRESHES, LOGISTICS, FEES = (f"data_pipeline: {name}" for name in ("requested refreshes", "logistics", "fees"))


@pytest.fixture
def logistics_task(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(tasks, "logistics_etl_full", dict, raising=False)
    return tasks


def actions(completed: CompletedCommand) -> dict[str, str]:
    return {schedule["name"]: schedule["action"] for schedule in completed.document["schedules"]}


@pytest.mark.usefixtures("logistics_task")
def test_schedules_follow_the_switches(manage: Manage) -> None:
    on = {"SCHEDULE_MV_REFRESH": "true", "SCHEDULE_LOGISTICS_ETL": "1", "MV_REFRESH_CRON": "15 4 * * *"}
    on["SCHEDULE_FEES_H10"] = "yes"
    assert manage("schedule_pipelines").lines == ["Nothing is scheduled."]
    assert actions(manage("schedule_pipelines", "--dry-run", "--json", **on)) == dict.fromkeys(
        (REFRESHES, LOGISTICS, FEES), "added"
    )
    assert not Schedule.objects.exists()
    assert set(actions(manage("schedule_pipelines", "--json", **on)).values()) == {"added"}
    rows = Schedule.objects.values_list("name", "func", "args", "kwargs", "cron")
    assert set(rows) == {
        (REFRESHES, "data_pipeline.tasks.refresh_roi_mvs", None, None, "15 4 * * *"),
        (LOGISTICS, "data_pipeline.tasks.logistics_etl_full", None, None, "0 3 * * *"),
        (FEES, "data_pipeline.tasks.fees_h10_refresh", None, None, "0 4 * * *"),
    }
    assert set(actions(manage("schedule_pipelines", "--json", **on)).values()) == {"kept"}
    changed = {"SCHEDULE_MV_REFRESH": "true", "MV_REFRESH_CRON": "@hourly"}
    after = {REFRESHES: "changed", LOGISTICS: "removed", FEES: "removed"}
    assert actions(manage("schedule_pipelines", "--json", **changed)) == after
    [line] = manage("schedule_pipelines").lines
    assert line == "data_pipeline: requested refreshes (@hourly): removed"


def test_schedules_of_other_apps_are_not_touched(manage: Manage) -> None:
    manage("schedule_refreshes")
    before = set(Schedule.objects.values_list("pk", "next_run"))
    manage("schedule_pipelines", SCHEDULE_MV_REFRESH="on")
    manage("schedule_refreshes")
    assert Schedule.objects.filter(name=REFRESHES).exists()
    manage("schedule_pipelines")
    assert set(Schedule.objects.values_list("pk", "next_run")) == before


def test_queue_status_shows_the_schedules_of_pipelines(manage: Manage) -> None:
    manage("schedule_pipelines", SCHEDULE_MV_REFRESH="on")
    assert f"{REFRESHES} (0 2 * * *): next due" in manage("queue_status").out


@pytest.mark.parametrize("command", ["schedule_pipelines", "watch_queue"])
@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"MV_REFRESH_CRON": "at night"},
            "MV_REFRESH_CRON is 'at night', which cannot be scheduled: it must have five",
        ),
        ({"LOGISTICS_CRON": "0 0 30 2 *"}, "LOGISTICS_CRON is '0 0 30 2 *', which cannot be scheduled: "),
        ({"SEEDER_NIGHTLY_CRON": "* * * *"}, "SEEDER_NIGHTLY_CRON is '* * * *', which cannot be scheduled: "),
    ],
)
def test_invalid_cron_is_refused_in_one_line(
    manage: Manage, command: str, variables: dict[str, str], message: str
) -> None:
    if command == "schedule_pipelines" and "SEEDER_NIGHTLY_CRON" in variables:
        command = "schedule_refreshes"
    failed = manage(command, **variables)
    assert (failed.exit_code, failed.out, len(failed.err.splitlines())) == (2, "", 1)
    assert message in failed.err
    assert not Schedule.objects.exists()


def test_switch_without_its_task_is_a_check_error(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(tasks, "logistics_etl_full", raising=False)
    settings.DATA_PIPELINE = {"SCHEDULE_LOGISTICS_ETL": True, "MV_REFRESH_CRON": "61 * * * *"}
    cron, task = check_schedules()
    assert {cron.id, task.id} == {"data_pipeline.E005"}
    assert cron.msg.startswith("MV_REFRESH_CRON is '61 * * * *', which cannot be scheduled: ")
    assert task.msg == (
        "SCHEDULE_LOGISTICS_ETL is True, which cannot be scheduled: there is no task"
        " data_pipeline.tasks.logistics_etl_full."
    )
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django_q"]
    assert check_schedules() == []


def test_cron_schedule_is_public() -> None:
    assert CronSchedule("0 2 * * *").expression == "0 2 * * *"

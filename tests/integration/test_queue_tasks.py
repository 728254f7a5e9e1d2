"""Tasks of the queue: their arguments, results and signals."""

import json
import signal
from collections.abc import Callable

import pytest

from seeder import tasks
from seeder.errors import BadTaskArgument, UnknownAgency
from seeder.models import QueuedRefresh
from seeder.services.queue import part_execution
from seeder.services.queue.part_execution import PartResult, run_part
from seeder.services.stop_signal import StopSignal
from tests.integration.queued_parts import enqueue_part

pytestmark = pytest.mark.usefixtures("empty_queue")


@pytest.fixture
def part() -> QueuedRefresh:
    return enqueue_part()


def test_tasks_return_plain_values(part: QueuedRefresh) -> None:
    assert json.loads(json.dumps(tasks.refresh_queued(part.pk)))["succeeded"] == 2
    request = tasks.refresh_table("reporting.a")
    assert set(request) == {"requestId", "parts", "joined"}
    assert tasks.refresh_table("Reporting.A") == {**request, "joined": True}
    assert QueuedRefresh.objects.get(pk=request["parts"][0]).requested_by == "a task"
    assert tasks.refresh_agency("demo")["joined"] is False
    assert tasks.refresh_all("canned")["joined"] is True


def test_task_delivered_twice_enqueues_once(part: QueuedRefresh) -> None:
    delivered = {"id": "0123", "group": "seeder: agency demo"}
    tasks._remember_task(task=delivered)
    first = tasks.refresh_table("reporting.a")
    QueuedRefresh.objects.update(state="ended", run_ids=["r"])
    tasks._forget_task()
    tasks._remember_task(task=delivered)
    assert tasks.refresh_table("reporting.a")["requestId"] == first["requestId"]
    tasks._forget_task()
    again = tasks.refresh_table("reporting.a")
    assert again["requestId"] != first["requestId"]


@pytest.mark.parametrize("value", [None, "", "everything", 7, True])
def test_invalid_report_type_is_not_taken_for_all_reports(part: QueuedRefresh, value: object) -> None:
    with pytest.raises(BadTaskArgument, match="report_type"):
        tasks.refresh_all(value)  # type: ignore[arg-type]


def test_task_without_arguments_refreshes_nothing(part: QueuedRefresh) -> None:
    all_tasks: list[Callable[..., object]]
    all_tasks = [tasks.refresh_all, tasks.refresh_agency, tasks.refresh_table, tasks.refresh_queued]
    for task in all_tasks:
        with pytest.raises(TypeError):
            task()
        with pytest.raises(BadTaskArgument):
            task(None)
    with pytest.raises(UnknownAgency):
        tasks.refresh_agency("")
    with pytest.raises(BadTaskArgument):
        tasks.refresh_queued(True)  # noqa: FBT003  # an invalid argument
    assert QueuedRefresh.objects.count() == 1


def test_sigterm_in_a_task_stops_its_run_and_reaches_the_handler(
    part: QueuedRefresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[int] = []

    def run_part_and_terminate(part_id: int, *, stop: StopSignal, **_: object) -> PartResult:
        signal.raise_signal(signal.SIGTERM)
        assert not received
        return run_part(part_id, stop=stop)

    monkeypatch.setattr(part_execution, "run_part", run_part_and_terminate)
    previous_handler = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    try:
        assert tasks.refresh_queued(part.pk)["result"] == "stopped by SIGTERM"
    finally:
        signal.signal(signal.SIGTERM, previous_handler)
    assert received == [signal.SIGTERM]

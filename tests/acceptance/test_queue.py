"""What is queued is refreshed by real clusters, whatever happens to them.

SEEDER_QUEUE_KILLS says how often a cluster is killed; `make soak` does so more often.
"""

import os
import random
import signal
from collections.abc import Callable, Iterator

import psutil
import pytest
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from seeder import tasks
from seeder.models import JobStatus, QueuedRefresh, RunHistory
from tests.acceptance import queue_clusters
from tests.acceptance.queue_clusters import counted_query, is_drained, kill, refresh_counts, start, wait_until
from tests.conftest import CompletedCommand, create_custom_manifest, sql

KILLS = int(os.environ.get("SEEDER_QUEUE_KILLS", "1"))
Manage = Callable[..., CompletedCommand]


@pytest.fixture(autouse=True)
def _clusters_end(empty_queue: None) -> Iterator[None]:
    yield
    queue_clusters.kill_all()


def views(number: int, *, seconds: float = 0) -> dict[str, int]:
    """So many manifests; how often each view should have been refreshed."""
    for one in range(number):
        create_custom_manifest(
            f"reporting.v{one}", counted_query(f"v{one}", seconds), agency="metro" if one % 2 else "demo"
        )
    return {f"v{one}": 1 for one in range(number)}


def nothing_is_open() -> bool:
    """Once the server has noticed who is gone, and the minute has passed after which a doorbell is taken for lost:
    here it passes quickly."""
    sql(
        "UPDATE reporting.seeder_queued_refresh SET dispatched_at = dispatched_at - interval '2 seconds' WHERE"
        " state = 'queued'"
    )
    tasks.resume_queue()
    open_rows = [model.objects.filter(status__in=("pending", "running")).exists() for model in (RunHistory, JobStatus)]
    return is_drained() and not any(open_rows)


def test_a_cluster_drains_what_was_queued(manage: Manage) -> None:
    wanted = views(5)
    create_custom_manifest("reporting.last", "SELECT 1 / 0 AS n")
    asked = manage("refresh_all", "--queue")
    assert asked.exit_code == 0
    assert asked.lines[0].startswith("every report: queued as the request ")
    assert asked.lines[0].endswith(", 6 views in 6 parts")
    cluster = start(SEEDER_MAX_WORKERS="2")
    wait_until(is_drained)
    assert refresh_counts() == wanted
    parts = QueuedRefresh.objects.all()
    assert (sum(part.succeeded or 0 for part in parts), sum(part.failed or 0 for part in parts)) == (5, 1)
    assert all(len(part.run_ids) == 1 for part in parts)
    wait_until(lambda: not OrmQ.objects.exists())
    assert {task.result["result"] for task in Task.objects.all()} == {"done"}
    cluster.send_signal(signal.SIGTERM)
    assert cluster.wait(30) == 0


def test_what_is_queued_already_is_joined_and_that_is_said(manage: Manage) -> None:
    views(2)
    first = manage("refresh_all", "--queue", "--json").document
    assert (first["joined"], len(first["parts"])) == (False, 2)
    again = manage("refresh_table", "reporting.v1", "--queue")
    number = next(part["number"] for part in first["parts"] if part["views"][0]["view"] == "reporting.v1")
    assert again.lines == [
        f"the view reporting.v1: joined the request {first['requestId']}, 1 view in 1 part",
        f"part {number}: reporting.v1",
        "See how it goes with `manage.py queue_status`.",
    ]
    assert manage("refresh_agency", "harbour", "--queue").exit_code == 2
    assert manage("refresh_all", "--queue", "--dry-run").exit_code == 2


def test_nothing_to_queue_is_said(manage: Manage) -> None:
    assert manage("refresh_all", "--queue").out == "Nothing to queue: no manifest is enabled for every report.\n"


@pytest.mark.parametrize("command", [["refresh_all", "--queue"], ["queue_status"], ["schedule_refreshes"]])
def test_a_server_that_does_not_answer_is_one_line(manage: Manage, command: list[str]) -> None:
    ended = manage(*command, DB_HOST="/nowhere")
    assert (ended.exit_code, ended.out) == (2, "")
    assert ended.err.startswith("CommandError: Cannot connect to PostgreSQL at /nowhere")


def test_a_doorbell_that_rings_twice_refreshes_once(manage: Manage) -> None:
    wanted = views(3)
    manage("refresh_all", "--queue")
    for message in OrmQ.objects.all():
        for _ in range(3):
            OrmQ.objects.create(key=message.key, payload=message.payload, lock=message.lock)
    start(), start()
    wait_until(lambda: Task.objects.count() >= 3 and not OrmQ.objects.exists())
    assert is_drained()
    assert refresh_counts() == wanted
    assert RunHistory.objects.count() == 3


def test_a_scheduled_task_that_is_delivered_twice_asks_once() -> None:
    wanted = views(3)
    async_task("seeder.tasks.refresh_all", "any", group="seeder: every report")
    [message] = OrmQ.objects.all()
    OrmQ.objects.create(key=message.key, payload=message.payload, lock=message.lock)
    async_task("seeder.tasks.refresh_all", group="with nothing")
    start()
    wait_until(lambda: is_drained() and not OrmQ.objects.exists())
    assert refresh_counts() == wanted
    assert set(QueuedRefresh.objects.values_list("requested_by", "parts")) == {("seeder: every report", 3)}
    assert not Task.objects.get(group="with nothing").success


@pytest.mark.slow
@pytest.mark.parametrize("kill_number", range(KILLS))
def test_two_clusters_share_a_queue_and_one_is_killed_in_the_middle(manage: Manage, kill_number: int) -> None:
    chance = random.Random(kill_number)  # noqa: S311  # moments, not secrets
    wanted = views(16, seconds=0.3)
    manage("refresh_all", "--queue")
    victim, other = start(SEEDER_MAX_WORKERS="1"), start(SEEDER_MAX_WORKERS="1")
    seen = chance.randint(0, 8)
    wait_until(lambda: len(refresh_counts()) >= seen and victims_part(victim.pid))
    kill(victim)
    wait_until(nothing_is_open)
    assert refresh_counts() == wanted
    assert other.poll() is None
    for part in QueuedRefresh.objects.all():
        done = RunHistory.objects.filter(run_id__in=part.run_ids, status="success").count()
        assert (part.succeeded, part.failed, part.error) == (done, 0, None)
        assert done == len(part.manifests)


@pytest.mark.slow
def test_of_two_watched_clusters_one_machine_goes_down_and_the_other_needs_nobody(manage: Manage) -> None:
    wanted = views(12, seconds=0.3)
    manage("refresh_all", "--queue")
    victim, other = (start("watch_queue", SEEDER_MAX_WORKERS="1") for _ in range(2))
    below = psutil.Process(victim.pid)
    wait_until(lambda: len(refresh_counts()) >= 2 and any(victims_part(child.pid) for child in below.children()))
    kill(victim)
    sql("UPDATE reporting.seeder_queued_refresh SET dispatched_at = dispatched_at - interval '1 minute'")
    wait_until(is_drained, seconds=120)
    assert refresh_counts() == wanted
    assert other.poll() is None
    wait_until(lambda: not RunHistory.objects.filter(status__in=("pending", "running")).exists())


def victims_part(group: int) -> bool:
    """Whether one of the group's processes works on a part just now."""
    workers = QueuedRefresh.objects.filter(state="running").values_list("worker", flat=True)
    return any(_group(int(str(worker).rpartition(":")[2])) == group for worker in workers)


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None

"""Real queue clusters refresh what is queued, even if a cluster is killed.

SEEDER_QUEUE_KILLS is the number of kills (default: 1; `make soak` sets 50).
"""

import os
import random
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

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
def _kill_clusters(empty_queue: None) -> Iterator[None]:
    yield
    queue_clusters.kill_all()


def create_views(count: int, *, seconds: float = 0) -> dict[str, int]:
    """Create manifests of views that count their refreshes. Return the expected counts."""
    for number in range(count):
        create_custom_manifest(
            f"reporting.v{number}", counted_query(f"v{number}", seconds), agency="metro" if number % 2 else "demo"
        )
    return {f"v{number}": 1 for number in range(count)}


def is_recovered() -> bool:
    """Resume the queue as if time had passed, and return whether nothing is open. A message counts as lost after a
    minute."""
    sql(
        "UPDATE reporting.seeder_queued_refresh SET dispatched_at = dispatched_at - interval '2 seconds' WHERE"
        " state = 'queued'"
    )
    tasks.resume_queue()
    open_rows = [model.objects.filter(status__in=("pending", "running")).exists() for model in (RunHistory, JobStatus)]
    return is_drained() and not any(open_rows)


@pytest.mark.slow
def test_cluster_refreshes_all_queued_views(manage: Manage) -> None:
    expected = create_views(5)
    create_custom_manifest("reporting.last", "SELECT 1 / 0 AS n")
    queued = manage("refresh_all", "--queue")
    assert queued.exit_code == 0
    assert queued.lines[0].startswith("every report: queued as the request ")
    assert queued.lines[0].endswith(", 6 views in 6 parts")
    cluster = start(SEEDER_MAX_WORKERS="2")
    wait_until(is_drained)
    assert refresh_counts() == expected
    parts = QueuedRefresh.objects.all()
    assert (sum(part.succeeded or 0 for part in parts), sum(part.failed or 0 for part in parts)) == (5, 1)
    assert all(len(part.run_ids) == 1 for part in parts)
    wait_until(lambda: not OrmQ.objects.exists())
    assert {task.result["result"] for task in Task.objects.all()} == {"done"}
    cluster.send_signal(signal.SIGTERM)
    assert cluster.wait(30) == 0


def test_repeated_request_joins_the_queued_one(manage: Manage) -> None:
    create_views(2)
    first = manage("refresh_all", "--queue", "--json").document
    assert (first["joined"], len(first["parts"])) == (False, 2)
    again = manage("refresh_table", "reporting.v1", "--queue")
    number = next(part["number"] for part in first["parts"] if part["views"][0]["view"] == "reporting.v1")
    assert again.lines == [
        f"the view reporting.v1: joined the request {first['requestId']}, 1 view in 1 part",
        f"part {number}: reporting.v1",
        "`manage.py queue_status` shows the progress.",
    ]
    assert manage("refresh_agency", "harbour", "--queue").exit_code == 2
    assert manage("refresh_all", "--queue", "--dry-run").exit_code == 2


def test_queue_without_enabled_manifests_prints_one_line(manage: Manage) -> None:
    assert manage("refresh_all", "--queue").out == "Nothing to queue: no manifest is enabled for every report.\n"


@pytest.mark.parametrize("command", [["refresh_all", "--queue"], ["queue_status"], ["schedule_refreshes"]])
def test_unreachable_server_prints_one_line(manage: Manage, command: list[str]) -> None:
    ended = manage(*command, DB_HOST="/nowhere")
    assert (ended.exit_code, ended.out) == (2, "")
    assert ended.err.startswith("CommandError: Cannot connect to PostgreSQL at /nowhere")


@pytest.mark.slow  # test_part_execution.py claims a part twice
def test_message_delivered_twice_refreshes_once(manage: Manage) -> None:
    expected = create_views(3)
    manage("refresh_all", "--queue")
    for message in OrmQ.objects.all():
        for _ in range(3):
            OrmQ.objects.create(key=message.key, payload=message.payload, lock=message.lock)
    start(), start()
    wait_until(lambda: Task.objects.count() >= 3 and not OrmQ.objects.exists())
    assert is_drained()
    assert refresh_counts() == expected
    assert RunHistory.objects.count() == 3


@pytest.mark.slow
def test_scheduled_task_delivered_twice_queues_one_request() -> None:
    expected = create_views(3)
    async_task("seeder.tasks.refresh_all", "any", group="seeder: every report")
    [message] = OrmQ.objects.all()
    OrmQ.objects.create(key=message.key, payload=message.payload, lock=message.lock)
    async_task("seeder.tasks.refresh_all", group="with nothing")
    start()
    wait_until(lambda: is_drained() and not OrmQ.objects.exists())
    assert refresh_counts() == expected
    assert set(QueuedRefresh.objects.values_list("requested_by", "parts")) == {("seeder: every report", 3)}
    assert not Task.objects.get(group="with nothing").success


@pytest.mark.slow
@pytest.mark.parametrize("kill_number", range(KILLS))
def test_cluster_killed_at_work_leaves_its_views_to_another(manage: Manage, kill_number: int) -> None:
    random_source = random.Random(kill_number)  # noqa: S311  # moments, not secrets
    expected = create_views(16, seconds=0.3)
    manage("refresh_all", "--queue")
    victim, other = start(SEEDER_MAX_WORKERS="1"), start(SEEDER_MAX_WORKERS="1")
    seen = random_source.randint(0, 8)
    wait_until(lambda: len(refresh_counts()) >= seen and is_working(victim.pid))
    kill(victim)
    wait_until(is_recovered)
    assert refresh_counts() == expected
    assert other.poll() is None
    for part in QueuedRefresh.objects.all():
        done = RunHistory.objects.filter(run_id__in=part.run_ids, status="success").count()
        assert (part.succeeded, part.failed, part.error) == (done, 0, None)
        assert done == len(part.manifests)


@pytest.mark.slow
def test_watched_cluster_takes_over_the_work_of_a_killed_machine(manage: Manage) -> None:
    expected = create_views(12, seconds=0.3)
    manage("refresh_all", "--queue")
    victim, other = (start("watch_queue", SEEDER_MAX_WORKERS="1") for _ in range(2))
    below = psutil.Process(victim.pid)
    wait_until(lambda: len(refresh_counts()) >= 2 and any(is_working(child.pid) for child in below.children()))
    kill(victim)
    sql("UPDATE reporting.seeder_queued_refresh SET dispatched_at = dispatched_at - interval '1 minute'")
    wait_until(is_drained, seconds=120)
    assert refresh_counts() == expected
    assert other.poll() is None
    wait_until(lambda: not RunHistory.objects.filter(status__in=("pending", "running")).exists())


@pytest.mark.slow
def test_cluster_stops_a_cancelled_request_and_continues(manage: Manage) -> None:
    create_custom_manifest("reporting.sleeping", "SELECT 1 AS n FROM pg_sleep(60)")
    request_id = manage("refresh_agency", "demo", "--queue", "--json").document["requestId"]
    cluster = start()
    wait_until(lambda: sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
    cancelled = manage("cancel_refresh", request_id)
    assert cancelled.lines == [
        "the agency 'demo': 0 parts cancelled",
        "The workers of 1 running part stop within seconds; `manage.py queue_status` shows it.",
    ]
    wait_until(is_drained, seconds=20)
    assert manage("cancel_refresh", request_id).lines == ["the agency 'demo': 1 part cancelled"]
    assert ": cancelled by cancel_refresh " in manage("queue_status").out
    [row] = RunHistory.objects.all()
    assert (row.status, row.errors) == ("error", "interrupted: cancelled by cancel_refresh")
    expected = create_views(2)
    assert manage("refresh_table", "reporting.v0", "--queue").exit_code == 0
    wait_until(refresh_counts)
    assert refresh_counts() == {"v0": expected["v0"]}
    assert cluster.poll() is None


@pytest.mark.slow
def test_command_of_another_terminal_is_cancelled(manage: Manage) -> None:
    create_custom_manifest("reporting.sleeping", "SELECT 1 AS n FROM pg_sleep(60)")
    with ThreadPoolExecutor(1) as threads:
        ended = threads.submit(manage, "refresh_all")
        wait_until(lambda: sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
        run_id = RunHistory.objects.get().run_id
        assert manage("cancel_refresh", run_id).lines == [
            f"every report: the run {run_id} stops within seconds. Its own terminal shows the result."
        ]
        assert ended.result(20).exit_code == 1
    assert "cancelled by cancel_refresh" in ended.result().out


def test_cancel_of_unknown_request_prints_one_line(manage: Manage) -> None:
    ended = manage("cancel_refresh", "unknown")
    assert ended.exit_code == 2
    assert ended.err.startswith("CommandError: There is no request and no run 'unknown', so nothing was cancelled. ")
    assert "`manage.py refresh_status --status running --json` has the runs" in ended.err


def is_working(group: int) -> bool:
    """Return whether a process of the group is running a part."""
    workers = QueuedRefresh.objects.filter(state="running").values_list("worker", flat=True)
    return any(_process_group(int(str(worker).rpartition(":")[2])) == group for worker in workers)


def _process_group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None

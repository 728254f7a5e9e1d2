"""The watchdog replaces a cluster that has stopped working."""

import os
import re
import signal
from collections.abc import Callable, Iterator

import psutil
import pytest
from django_q.models import Schedule

from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.models import QueuedRefresh
from seeder.services.queue.enqueue import enqueue_refresh
from tests.acceptance import queue_clusters
from tests.acceptance.queue_clusters import counted_query, is_drained, refresh_counts, start, wait_until
from tests.conftest import CompletedCommand, create_custom_manifest

pytestmark = pytest.mark.slow

Manage = Callable[..., CompletedCommand]


class Watchdog:
    """A `manage.py watch_queue` process and its output."""

    def __init__(self, *options: str, **environment: str) -> None:
        self.process = start("watch_queue", *options, capture_output=True, SEEDER_MAX_WORKERS="1", **environment)

    def read_until(self, pattern: str) -> "re.Match[str]":
        """Read the output up to the first line that matches."""
        assert self.process.stdout
        for line in self.process.stdout:
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"not in the output: {pattern}")

    def cluster(self) -> int:
        """Wait for the next cluster to be ready, and return its pid."""
        pid = int(self.read_until(r"cluster (\d+) started")[1])
        self.read_until(r"Q Cluster .* running")
        return pid


@pytest.fixture
def watchdog(empty_queue: None) -> Iterator[Watchdog]:
    yield Watchdog()
    queue_clusters.kill_all()


def family(pid: int) -> list[psutil.Process]:
    """Return the sentinel, its worker, its monitor and its pusher."""
    [sentinel] = psutil.Process(pid).children()
    return [sentinel, *sentinel.children()]


def queue_one_view() -> None:
    create_custom_manifest("reporting.a", counted_query("a"))
    enqueue_refresh(AllReports(), requested_by="")


@pytest.mark.parametrize("which", ["sentinel", "worker", "monitor", "pusher", "main"])
def test_idle_cluster_restarts_after_one_process_is_killed(watchdog: Watchdog, which: str) -> None:
    pid = watchdog.cluster()
    before = [psutil.Process(pid), *family(pid)]
    names = ["main", "sentinel", "worker", "monitor", "pusher"]
    before[names.index(which)].kill()
    watchdog.read_until(
        rf"cluster {pid} ended by itself(, with exit code -?\d+)?; it was killed, another starts in 1 s"
    )
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in before)
    assert watchdog.cluster() != pid
    queue_one_view()
    wait_until(is_drained)
    assert refresh_counts() == {"a": 1}


def test_worker_killed_at_work_repeats_only_its_current_view(watchdog: Watchdog) -> None:
    pid = watchdog.cluster()
    for number in range(3):
        create_custom_manifest(f"reporting.v{number}", counted_query(f"v{number}", 1))
    enqueue_refresh(AgencyReports(slug="demo"), requested_by="")
    wait_until(lambda: len(refresh_counts()) == 1)
    [part] = QueuedRefresh.objects.all()
    os.kill(int(str(part.worker).rpartition(":")[2]), signal.SIGKILL)
    watchdog.read_until(rf"dispatched again: part {part.pk}")
    wait_until(is_drained)
    assert refresh_counts() == {"v0": 1, "v1": 1, "v2": 1}
    part.refresh_from_db()
    assert (part.succeeded, len(part.run_ids)) == (3, 2)
    assert psutil.pid_exists(pid), "the cluster has replaced the worker"


def test_unreadable_schedule_of_another_app_is_reported(watchdog: Watchdog) -> None:
    watchdog.cluster()
    Schedule.objects.create(name="wrong", func="os.getcwd", args="((", schedule_type="O")
    watchdog.read_until("The arguments of the schedule 'wrong' .* cannot be read")


def test_watchdog_stopped_by_signal_stops_its_cluster(watchdog: Watchdog) -> None:
    before = family(watchdog.cluster())
    watchdog.process.send_signal(signal.SIGTERM)
    assert watchdog.process.wait(30) == 0
    assert not any(process.is_running() for process in before)


def test_run_longer_than_the_grace_period_is_queued_again(empty_queue: None) -> None:
    create_custom_manifest("reporting.a", counted_query("a", 60))
    enqueue_refresh(AllReports(), requested_by="")
    watchdog = Watchdog("--grace", "1")
    try:
        watchdog.cluster()
        wait_until(lambda: QueuedRefresh.objects.filter(state="running").exists())
        watchdog.process.send_signal(signal.SIGTERM)
        assert watchdog.process.wait(40) == 0
        part = QueuedRefresh.objects.get()
        assert (part.state, len(part.run_ids)) == ("queued", 1)
    finally:
        queue_clusters.kill_all()


def test_cluster_ends_after_its_watchdog_is_killed(watchdog: Watchdog) -> None:
    before = family(watchdog.cluster())
    watchdog.process.kill()
    wait_until(lambda: not any(process.is_running() for process in before))


def test_watchdog_with_invalid_settings_starts_nothing(manage: Manage) -> None:
    ended = manage("watch_queue", SEEDER_MAX_WORKERS="lots")
    assert (ended.exit_code, ended.out) == (2, "")
    assert "SEEDER_MAX_WORKERS is 'lots'" in ended.err


def test_cluster_that_cannot_start_is_retried_with_backoff(empty_queue: None) -> None:
    watchdog = Watchdog(DB_HOST="/nowhere")
    try:
        for pause in (1, 2, 4):
            watchdog.read_until(rf"another starts in {pause} s")
    finally:
        queue_clusters.kill_all()

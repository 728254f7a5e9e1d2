"""Two and four clusters share a queue, in the database or in Redis, and half of them are killed.

SEEDER_CLUSTER_KILLS is the number of repetitions (default: 1; `make soak` sets 10).
"""

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from seeder.models import QueuedRefresh, RunHistory
from tests.acceptance import queue_clusters
from tests.acceptance.queue_clusters import counted_query, is_drained, kill, refresh_counts, wait_until
from tests.conftest import create_custom_manifest, sql
from tests.redis_server import redis_server

KILLS = int(os.environ.get("SEEDER_CLUSTER_KILLS", "1"))
VIEWS = 24
Start = Callable[..., "subprocess.Popen[str]"]

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("empty_queue")]


@pytest.fixture(params=["orm", "redis"])
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Yield the function that starts processes with this broker. They end before it does."""
    if request.param == "orm":
        yield queue_clusters.start
        queue_clusters.kill_all()
        return
    with redis_server() as url:
        yield partial(queue_clusters.start, TEST_QUEUE_REDIS=url)
        queue_clusters.kill_all()


@pytest.fixture
def expected_counts() -> dict[str, int]:
    for number in range(VIEWS):
        create_custom_manifest(f"reporting.v{number}", counted_query(f"v{number}", seconds=0.3))
    return {f"v{number}": 1 for number in range(VIEWS)}


def wait_until_refreshed(count: int) -> None:
    wait_until(lambda: len(refresh_counts()) >= count)


def is_recovered() -> bool:
    """Return whether all is done. Messages count as lost a minute after they were sent, so age them."""
    sql(
        "UPDATE reporting.seeder_queued_refresh SET dispatched_at = dispatched_at - interval '2 seconds'"
        " WHERE state = 'queued'"
    )
    return is_drained() and not RunHistory.objects.filter(status__in=("pending", "running")).exists()


@pytest.mark.parametrize("kill_number", range(KILLS))
@pytest.mark.parametrize("clusters", [2, 4])
def test_killed_clusters_leave_their_views_to_the_others(
    clusters: int, kill_number: int, start: Start, expected_counts: dict[str, int]
) -> None:
    moments = random.Random(kill_number)  # noqa: S311  # moments, not secrets
    started = [start("watch_queue", SEEDER_MAX_WORKERS="1") for _ in range(clusters)]
    # A process of its own, because django-q2 chooses its broker once.
    assert start("refresh_all", "--queue").wait(60) == 0
    for victim in moments.sample(started, clusters // 2):
        wait_until_refreshed(moments.randint(0, VIEWS // 2))
        kill(victim)
    wait_until(is_recovered, seconds=120)
    assert refresh_counts() == expected_counts
    for part in QueuedRefresh.objects.all():
        refreshed = RunHistory.objects.filter(run_id__in=part.run_ids, status="success").count()
        assert (part.succeeded, part.failed, part.error) == (refreshed, 0, None)
        assert refreshed == len(part.manifests)

"""One database call of a worker fails while it works off a part, each in turn and in each of many ways. Whoever is told
next goes on, and every view is refreshed once.

SEEDER_INJECTIONS says how many, as for runs.
"""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection
from django_q.models import OrmQ

from seeder.domain import backoff
from seeder.domain.queue.queued_requests import MAX_ATTEMPTS_WITHOUT_PROGRESS
from seeder.domain.refresh_requests import AllReports
from seeder.errors import SeederError
from seeder.models import JobStatus, QueuedRefresh, RunHistory
from seeder.postgres import sessions
from seeder.services.queue.enqueue import enqueue_refresh
from seeder.services.queue.part_execution import run_part
from seeder.services.queue.rescue import rescue_stalled_parts
from seeder.services.run import run_lock
from tests.acceptance.queue_clusters import counted_query as counting
from tests.acceptance.queue_clusters import refresh_counts
from tests.conftest import create_custom_manifest, sql
from tests.injection.database_calls import RUN, DatabaseCalls, counted_calls
from tests.injection.injected_failures import TRANSIENT, FailureKind

pytestmark = [pytest.mark.slow, pytest.mark.versions]

INJECTIONS = int(os.environ.get("SEEDER_INJECTIONS", "39"))
STUCK = 60  # seconds


@pytest.fixture
def part(empty_queue: None, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(backoff, "delay", lambda *_, **__: timedelta())
    monkeypatch.setattr(run_lock, "_KEEPALIVE_INTERVAL", timedelta())
    create_custom_manifest("reporting.a", counting("a"))
    create_custom_manifest("reporting.b", f"{counting('b')}, reporting.a")
    [queued] = enqueue_refresh(AllReports(), requested_by="").parts
    return queued.id


def work(part: int, kind: FailureKind | None, k: int) -> DatabaseCalls:
    """As a worker of its own: its connections end with it. Only an error that is foreseen may end it."""
    try:
        with counted_calls(kind, k, "") as calls, suppress(SeederError):
            run_part(part)
    finally:
        sessions.close_thread_connections()
    return calls


def fail(part: int, kind: FailureKind | None = None, k: int = 0) -> DatabaseCalls:
    """A worker with a failing call, then others until the part has ended."""
    sql("TRUNCATE reporting.refreshed, reporting.seeder_run_history CASCADE")
    sql("UPDATE reporting.seeder_queued_refresh SET state = 'queued', run_ids = '[]', requested_at = clock_timestamp()")
    sessions.close_thread_connections()
    with ThreadPoolExecutor(1, thread_name_prefix=RUN) as thread:
        calls = thread.submit(work, part, kind, k).result(STUCK)
    for _ in range(MAX_ATTEMPTS_WITHOUT_PROGRESS):
        if not connection.is_usable():
            connection.close()
        OrmQ.objects.all().delete()
        sql("UPDATE reporting.seeder_queued_refresh SET dispatched_at = dispatched_at - interval '2 minutes'")
        if not QueuedRefresh.objects.unfinished().exists():
            break
        assert rescue_stalled_parts().dispatched == (part,) or QueuedRefresh.objects.filter(state="running").exists()
        run_part(part)
    row = QueuedRefresh.objects.get()
    succeeded = RunHistory.objects.filter(status="success").values_list("table_name", flat=True)
    assert (row.state, row.succeeded, row.failed, row.error) == ("ended", len(succeeded), 2 - len(succeeded), None)
    assert refresh_counts() == {name.removeprefix("reporting."): 1 for name in succeeded}, calls.failed
    assert len(succeeded) == 2 or kind not in TRANSIENT, f"a view that failed by itself has failed: {calls.failed}"
    for table in (RunHistory, JobStatus):
        assert not table.objects.filter(status__in=("pending", "running")).exists(), calls.failed
    return calls


@pytest.mark.parametrize("kind", FailureKind, ids=lambda kind: kind.name)
def test_no_call_that_fails_loses_a_view_or_refreshes_it_twice(part: int, kind: FailureKind) -> None:
    calls, often = fail(part).count(), INJECTIONS // len(FailureKind)
    chance = random.Random(kind)  # noqa: S311  # calls, not secrets
    endings = [fail(part, kind, k) for k in chance.sample(range(1, calls + 1), min(often, calls))]
    assert sum(each.failed is None for each in endings) <= len(endings) // 2, "the failures happen"

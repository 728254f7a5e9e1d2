"""Each database call of a worker that executes a part fails.

The next worker continues, and every view is refreshed once. SEEDER_INJECTIONS is the number of failures.
"""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, connections
from django_q.models import OrmQ

from seeder.domain import backoff
from seeder.domain.queue.queued_requests import MAX_ATTEMPTS_WITHOUT_PROGRESS
from seeder.domain.refresh_requests import AllReports
from seeder.errors import SeederError
from seeder.models import JobStatus, QueuedRefresh, RunHistory
from seeder.services.queue.enqueue import enqueue_refresh
from seeder.services.queue.part_execution import run_part
from seeder.services.queue.rescue import rescue_stalled_parts
from seeder.services.run import run_liveness_lock
from tests.acceptance.queue_clusters import counted_query as counting
from tests.acceptance.queue_clusters import refresh_counts
from tests.conftest import create_custom_manifest, sql
from tests.injection.database_calls import RUN, DatabaseCalls, counted_calls
from tests.injection.injected_failures import TRANSIENT, FailureKind

pytestmark = [pytest.mark.slow]

INJECTIONS = int(os.environ.get("SEEDER_INJECTIONS", "26"))
MAX_WAIT = 60  # seconds


@pytest.fixture
def part(empty_queue: None, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(backoff, "delay", lambda *_, **__: timedelta())
    monkeypatch.setattr(run_liveness_lock, "_KEEPALIVE_INTERVAL", timedelta())
    create_custom_manifest("reporting.a", counting("a"))
    create_custom_manifest("reporting.b", f"{counting('b')}, reporting.a")
    [queued] = enqueue_refresh(AllReports(), requested_by="").parts
    return queued.id


def execute_part(part: int, kind: FailureKind | None, number: int) -> DatabaseCalls:
    """Execute a part like a separate worker, whose connections end with it. Only an expected error may end it."""
    try:
        with counted_calls(kind, number, "") as calls, suppress(SeederError):
            run_part(part)
    finally:
        connections.close_all()
    return calls


def fail(part: int, kind: FailureKind | None = None, number: int = 0) -> DatabaseCalls:
    """Let a call of a worker fail. Then execute the part until it has ended."""
    sql("TRUNCATE reporting.refreshed, reporting.seeder_run_history CASCADE")
    sql("UPDATE reporting.seeder_queued_refresh SET state = 'queued', run_ids = '[]', requested_at = clock_timestamp()")
    connections.close_all()
    with ThreadPoolExecutor(1, thread_name_prefix=RUN) as thread:
        calls = thread.submit(execute_part, part, kind, number).result(MAX_WAIT)
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
    assert len(succeeded) == 2 or kind not in TRANSIENT, f"no view fails because of a transient failure: {calls.failed}"
    for table in (RunHistory, JobStatus):
        assert not table.objects.filter(status__in=("pending", "running")).exists(), calls.failed
    return calls


@pytest.mark.parametrize("kind", FailureKind, ids=lambda kind: kind.name)
def test_failing_call_loses_no_view_and_refreshes_none_twice(part: int, kind: FailureKind) -> None:
    calls, samples = fail(part).count(), INJECTIONS // len(FailureKind)
    generator = random.Random(kind)  # noqa: S311  # not used for security
    workers = [fail(part, kind, number) for number in generator.sample(range(1, calls + 1), min(samples, calls))]
    assert sum(injected.failed is None for injected in workers) <= len(workers) // 2, "the failures happen"

"""Idempotency keys of requests: concurrent duplicates are one request."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django_q.models import OrmQ

from data_pipeline.models import LoadRequest
from data_pipeline.services.load_requests import QueuedRequest, enqueue
from seeder.errors import IdempotencyKeyTaken

pytestmark = pytest.mark.usefixtures("load_tables", "empty_queue")
_THREADS = 8


def at_once(act: Callable[[int], QueuedRequest]) -> list[QueuedRequest | IdempotencyKeyTaken]:
    """Call from several threads at the same time. Return their results."""
    barrier = Barrier(_THREADS)

    def run(number: int) -> QueuedRequest | IdempotencyKeyTaken:
        barrier.wait()
        try:
            return act(number)
        except IdempotencyKeyTaken as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(run, range(_THREADS)))


def test_concurrent_duplicates_are_one_request() -> None:
    results = at_once(
        lambda _: enqueue(source_uri="file:///a", options={"table": "t"}, requested_by="x", idempotency_key="k")
    )
    queued = [one for one in results if isinstance(one, QueuedRequest)]
    assert (len(queued), len({one.request_id for one in queued})) == (_THREADS, 1)
    assert sorted(one.repeated for one in queued) == [False, *[True] * (_THREADS - 1)]
    assert (LoadRequest.objects.count(), OrmQ.objects.count()) == (1, 1)


def test_of_concurrent_requests_with_one_key_one_wins() -> None:
    results = at_once(lambda number: enqueue(source_uri=f"file:///{number}", requested_by="x", idempotency_key="k"))
    assert sum(isinstance(one, IdempotencyKeyTaken) for one in results) == _THREADS - 1
    assert (LoadRequest.objects.count(), OrmQ.objects.count()) == (1, 1)


def test_requests_without_a_key_are_independent() -> None:
    results = at_once(lambda _: enqueue(source_uri="file:///a", requested_by="x"))
    assert len({one.request_id for one in results if isinstance(one, QueuedRequest)}) == _THREADS

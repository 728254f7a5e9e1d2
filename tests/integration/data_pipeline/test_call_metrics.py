"""The metrics of HTTP calls and retried operations: from the processes that make them to a scrape."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.db import connections, transaction
from django.test import override_settings

from data_pipeline import (
    AsyncHTTPClient,
    HTTPClient,
    compute_idempotency_key,
    process_once,
    record_etl_run,
)
from data_pipeline.http.measurements import CALLS
from data_pipeline.http.retrying import RetryConfig, retry
from tests.integration.data_pipeline.metric_samples import end_of_hour, samples
from tests.scripted_http import answer, serve

pytestmark = pytest.mark.usefixtures("load_tables")


@pytest.fixture(autouse=True)
def no_earlier_calls() -> Iterator[None]:
    CALLS.drain()
    yield
    assert CALLS.drain() == {}, "something was not saved"


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that is unavailable once, then works."""
    with serve(answer(503), answer(body=b"{}")) as server:
        monkeypatch.setenv("SHOP_BASE_URL", server.url)
        monkeypatch.setenv("SHOP_BACKOFF_BASE_S", "0")
        monkeypatch.setenv("SHOP_BACKOFF_JITTER_S", "0")
        monkeypatch.setenv("DATA_PIPELINE_PRIVATE_HOSTS", server.url.removeprefix("http://"))
        yield "/fees"


def call(url: str) -> None:
    with HTTPClient("shop") as client:
        client.get(url)


def assert_one_retry() -> None:
    found = samples()
    assert found["external_http_requests_total", "shop", "http_503"] == 1
    assert found["external_http_requests_total", "shop", "success"] == 1
    assert found["external_http_retries_total", "shop", "http_503"] == 1
    assert found["external_http_request_duration_seconds_count", "shop"] == 2
    assert found["external_http_request_duration_seconds_bucket", "shop", "+Inf"] == 2
    assert 0 < found["external_http_request_duration_seconds_sum", "shop"] < 60


def test_calls_are_saved_when_the_client_is_closed(url: str) -> None:
    call(url)
    assert_one_retry()
    end_of_hour()
    samples()
    assert_one_retry()


def test_calls_of_an_event_loop_are_saved_by_a_thread(url: str) -> None:
    async def work() -> None:
        async with AsyncHTTPClient("shop") as client:
            await client.get(url)

    asyncio.run(work())
    assert_one_retry()


def test_calls_of_an_event_loop_that_may_use_the_database_are_saved(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        call(url)
        connections.close_all()  # those of the event loop

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    asyncio.run(work())
    assert_one_retry()


def test_calls_in_a_transaction_are_saved_at_its_commit(url: str) -> None:
    with transaction.atomic():
        call(url)
        assert ("external_http_retries_total", "shop", "http_503") not in samples()
    assert_one_retry()


def test_calls_of_a_load_that_fails_are_counted_with_its_source(url: str) -> None:
    key = compute_idempotency_key(payload=b"1")
    with suppress(KeyError), process_once(source="fees_h10", payload_meta={}, idempotency_key=key):
        call(url)
        raise KeyError
    assert_one_retry()
    assert samples()["etl_retry_total", "fees_h10", "http_503"] == 1


def test_client_that_is_not_closed_is_saved_at_the_end_of_a_run(url: str) -> None:
    client = HTTPClient("shop")
    with record_etl_run("fees_h10"):
        client.get(url)
    assert_one_retry()
    assert samples()["etl_retry_total", "fees_h10", "http_503"] == 1
    client.close()


def test_client_of_a_long_process_is_saved_every_minute(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = HTTPClient("shop")
    client.get(url)
    monkeypatch.setattr(CALLS, "_clock", lambda: float("inf"))
    client.get(url)
    assert_one_retry()
    client.close()


def test_retried_operation_is_counted() -> None:
    errors = [ConnectionError(), ConnectionError()]

    @retry(RetryConfig("fetch", base_s=0, jitter_s=0))
    def fetch() -> None:
        if errors:
            raise errors.pop()

    fetch()
    found = samples()
    assert found["etl_retry_attempts_total", "fetch"] == 2
    assert (found["etl_retry_sleep_seconds_count", "fetch"], found["etl_retry_sleep_seconds_sum", "fetch"]) == (2, 0)
    assert ("awa_retry_attempts_total", "fetch") not in found
    with override_settings(DATA_PIPELINE={"METRICS_PREFIX_AWA": True}):
        found = samples()
    assert (found["awa_retry_attempts_total", "fetch"], found["awa_retry_sleep_seconds_count", "fetch"]) == (2, 2)


@override_settings(DATA_PIPELINE={"METRICS_PREFIX_AWA": "perhaps"})
def test_metrics_are_read_although_a_setting_is_wrong() -> None:
    assert ("data_pipeline_up",) in samples()

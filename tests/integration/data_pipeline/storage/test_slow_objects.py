"""A server that sends a byte now and then: its connection is replaced, or the storage is unavailable."""

from threading import enumerate as enumerate_threads

import pytest

from data_pipeline.storage.object_store import ObjectStore
from data_pipeline.storage_errors import StoreUnavailable
from tests.buckets import Bucket
from tests.integration.data_pipeline.storage.conftest import MakeStore
from tests.s3_gateway import Fault, Gateway

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SLOW = {"S3_READ_TIMEOUT_S": 1, "S3_MIN_RATE_KB_S": 1024}


def read_all(store: ObjectStore, bucket: Bucket) -> bytes:
    stream = store.get(bucket.name, "key")
    return b"".join(iter(lambda: stream.read(200_000), b""))


@pytest.mark.slow
def test_trickling_connection_is_replaced(make_store: MakeStore, bucket: Bucket, gateway: Gateway) -> None:
    store = make_store(S3_ENDPOINT_URL=gateway.endpoint_url, **SLOW)
    bucket.put("key", CONTENT)
    gateway.faults.append(Fault(trickles_after=300_000))

    assert read_all(store, bucket) == CONTENT
    assert [headers.get("range") for headers in gateway.headers] == [None, "bytes=200000-"]


@pytest.mark.slow
def test_object_that_always_trickles_is_unavailable(
    make_store: MakeStore, bucket: Bucket, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data_pipeline.storage.object_store.ATTEMPTS", 1)
    store = make_store(S3_ENDPOINT_URL=gateway.endpoint_url, **SLOW)
    bucket.put("key", CONTENT)
    gateway.faults.append(Fault(trickles_after=0))

    with pytest.raises(StoreUnavailable, match="fewer bytes per second than S3_MIN_RATE_KB_S. It was tried 1 time"):
        read_all(store, bucket)


def test_thread_of_a_stream_ends_with_it(store: ObjectStore, bucket: Bucket) -> None:
    bucket.put("key", CONTENT)
    before = set(enumerate_threads())
    stream = store.get(bucket.name, "key")
    [thread] = [one for one in set(enumerate_threads()) - before if "_watch" in one.name]
    del stream
    thread.join(5)
    assert not thread.is_alive()


def test_slow_connection_without_minimum_is_kept(make_store: MakeStore, bucket: Bucket, gateway: Gateway) -> None:
    store = make_store(S3_ENDPOINT_URL=gateway.endpoint_url, S3_MIN_RATE_KB_S=0)
    bucket.put("key", CONTENT[:3])
    gateway.faults.append(Fault(trickles_after=0))

    assert read_all(store, bucket) == CONTENT[:3]
    assert len(gateway.requests) == 1

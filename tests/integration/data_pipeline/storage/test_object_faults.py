"""Faults of objects, networks and servers: requests are repeated if that can help, and nothing is half-written."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import botocore.auth
import pytest

from data_pipeline.artefact_errors import SourceChanged
from data_pipeline.storage.object_store import ObjectStore
from data_pipeline.storage_errors import (
    BucketMissing,
    NotObjectStorage,
    ObjectExists,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from tests.buckets import Bucket
from tests.conftest import CompletedCommand
from tests.integration.data_pipeline.storage.conftest import MakeStore
from tests.ports import free_port
from tests.s3_gateway import Fault, Gateway

Manage = Callable[..., CompletedCommand]
CONTENT = bytes(range(256)) * 4096  # 1 MiB
BUSY = Fault(status=503, code="SlowDown")


@pytest.fixture
def waits() -> list[float]:
    """The waits between attempts, in seconds."""
    return []


@pytest.fixture
def store(make_store: MakeStore, gateway: Gateway, waits: list[float]) -> ObjectStore:
    """A store that reaches the server through the gateway."""
    return make_store(waits, S3_ENDPOINT_URL=gateway.endpoint_url, S3_READ_TIMEOUT_S=1, S3_CONNECT_TIMEOUT_S=1)


def read_all(store: ObjectStore, bucket: Bucket, key: str = "key") -> bytes:
    stream = store.get(bucket.name, key)
    return b"".join(iter(lambda: stream.read(200_000), b""))


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_request_to_a_busy_server_is_repeated_with_backoff(
    store: ObjectStore, bucket: Bucket, gateway: Gateway, waits: list[float], status: int
) -> None:
    bucket.put("key", CONTENT)
    gateway.faults += 3 * [Fault(status=status)]

    assert read_all(store, bucket) == CONTENT
    assert waits == [0.5, 1, 2]


@pytest.mark.slow
def test_repeated_request_is_logged(
    store: ObjectStore, bucket: Bucket, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.put("key", CONTENT)
    gateway.faults.append(BUSY)

    store.get(bucket.name, "key").close()

    line = f"operation=reading object=s3://{bucket.name}/key attempt=1 reason=SlowDown wait_seconds=0.500"
    assert caplog.messages == [f"object_request_retried {line}"]


@pytest.mark.parametrize("in_seconds", [True, False])
def test_retry_after_is_waited_for(
    store: ObjectStore, bucket: Bucket, gateway: Gateway, waits: list[float], *, in_seconds: bool
) -> None:
    bucket.put("key", CONTENT)
    now = datetime.now(UTC).replace(microsecond=0)
    at = format_datetime(now + timedelta(seconds=17), usegmt=True)
    headers = {"Retry-After": "17"} if in_seconds else {"Retry-After": at, "Date": format_datetime(now, usegmt=True)}
    gateway.faults.append(Fault(status=503, code="SlowDown", headers=headers))

    assert read_all(store, bucket) == CONTENT
    assert waits == [17]


def test_server_that_wants_a_long_wait_is_unavailable(
    store: ObjectStore, bucket: Bucket, gateway: Gateway, waits: list[float]
) -> None:
    bucket.put("key", CONTENT)
    gateway.faults.append(Fault(status=503, code="SlowDown", headers={"Retry-After": "3600"}))

    message = (
        rf"^http://127.0.0.1:\d+ did not answer reading s3://{bucket.name}/key: SlowDown \(503\). It was tried 1 time\."
    )
    with pytest.raises(StoreUnavailable, match=message):
        store.get(bucket.name, "key")
    assert waits == []


def test_server_that_stays_busy_is_unavailable(store: ObjectStore, bucket: Bucket, gateway: Gateway) -> None:
    gateway.faults += 5 * [BUSY]

    with pytest.raises(StoreUnavailable, match="It was tried 4 times"):
        list(store.list(bucket.name))
    assert len(gateway.faults) == 1


@pytest.mark.parametrize("fault", [Fault(ends_after=300_000), Fault(ends_after=0), Fault(stalls_after=300_000)])
def test_lost_connection_is_replaced_where_it_ended(
    store: ObjectStore, bucket: Bucket, gateway: Gateway, fault: Fault
) -> None:
    bucket.put("key", CONTENT)
    gateway.faults += 2 * [fault]

    assert read_all(store, bucket) == CONTENT
    etag = bucket.client.head_object(Bucket=bucket.name, Key="key")["ETag"]
    assert [headers.get("if-match") for headers in gateway.headers] == [None, etag, etag]
    first = gateway.headers[1].get("range")
    assert first in ({None} if fault.ends_after == 0 else {"bytes=200000-", "bytes=300000-"})


@pytest.mark.parametrize(
    ("change", "description"),
    [
        (lambda bucket: bucket.put("key", CONTENT[::-1]), "it was replaced"),
        (lambda bucket: bucket.put("key", CONTENT[:9]), "it was replaced"),
        (lambda bucket: bucket.client.delete_object(Bucket=bucket.name, Key="key"), "it was deleted"),
    ],
)
def test_changed_object_is_not_continued(
    store: ObjectStore, bucket: Bucket, gateway: Gateway, change: Callable[[Bucket], object], description: str
) -> None:
    bucket.put("key", CONTENT)
    gateway.faults.append(Fault(ends_after=300_000, meanwhile=lambda: change(bucket)))

    with pytest.raises(SourceChanged, match=f"s3://{bucket.name}/key was changed while it was loaded: {description}"):
        read_all(store, bucket)


def test_object_replaced_during_one_answer_is_read_in_its_version(
    store: ObjectStore, bucket: Bucket, gateway: Gateway
) -> None:
    bucket.put("key", CONTENT)
    stream = store.get(bucket.name, "key")
    first = stream.read(1000)
    bucket.put("key", b"another")

    assert first + b"".join(iter(lambda: stream.read(200_000), b"")) == CONTENT


def test_object_that_always_ends_early_is_unavailable(store: ObjectStore, bucket: Bucket, gateway: Gateway) -> None:
    bucket.put("key", CONTENT)
    gateway.faults += 5 * [Fault(ends_after=0)]

    with pytest.raises(StoreUnavailable, match="the answer ended early. It was tried 4 times"):
        read_all(store, bucket)


def test_lost_answer_of_a_write_is_repeated(store: ObjectStore, bucket: Bucket, gateway: Gateway) -> None:
    gateway.faults.append(Fault(method="PUT", loses_answer=True))

    with store.put(bucket.name, "key") as writer:
        writer.write(CONTENT)

    assert bucket.get("key") == CONTENT


def test_lost_answer_of_a_conditional_write_is_not_repeated(
    store: ObjectStore, bucket: Bucket, gateway: Gateway
) -> None:
    gateway.faults.append(Fault(method="PUT", loses_answer=True))

    with pytest.raises(StoreUnavailable), store.put(bucket.name, "key", overwrite=False) as writer:
        writer.write(CONTENT)

    assert bucket.get("key") == CONTENT
    with pytest.raises(ObjectExists), store.put(bucket.name, "key", overwrite=False) as writer:
        writer.write(CONTENT)


def test_conditional_write_to_a_busy_server_is_repeated(store: ObjectStore, bucket: Bucket, gateway: Gateway) -> None:
    gateway.faults.append(Fault(method="PUT", status=503, code="SlowDown"))

    with store.put(bucket.name, "key", overwrite=False) as writer:
        writer.write(CONTENT)

    assert bucket.get("key") == CONTENT


def test_failed_part_aborts_the_upload(
    store: ObjectStore, bucket: Bucket, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data_pipeline.storage.object_writer.FIRST_PART_BYTES", 5 << 20)
    gateway.faults += 4 * [Fault(method="PUT", status=500, code="InternalError")]

    with pytest.raises(StoreUnavailable), store.put(bucket.name, "key") as writer:
        writer.write(bytes(6 << 20))

    assert bucket.keys() == []
    assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket=bucket.name)


def test_server_without_ranges_is_refused(store: ObjectStore, bucket: Bucket, gateway: Gateway) -> None:
    bucket.put("key", CONTENT)
    found = bucket.client.head_object(Bucket=bucket.name, Key="key")
    facts = {
        "ETag": found["ETag"],
        "Last-Modified": format_datetime(found["LastModified"].astimezone(UTC), usegmt=True),
    }
    gateway.faults += [Fault(ends_after=300_000), Fault(status=200, body=CONTENT, headers=facts)]

    with pytest.raises(StoreError, match="it does not read from the middle"):
        read_all(store, bucket)


def test_wrong_clock_is_explained(store: ObjectStore, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put("key", CONTENT)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: datetime.now(UTC) - timedelta(hours=1))

    with pytest.raises(StoreError, match="because the clock of this machine is wrong"):
        store.head(bucket.name, "key")


def test_server_that_is_not_there_is_unavailable(make_store: MakeStore) -> None:
    store = make_store(S3_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}")

    with pytest.raises(StoreUnavailable, match="Connection refused. It was tried 4 times"):
        store.head("bucket", "key")


def test_server_that_does_not_speak_tls_is_explained(make_store: MakeStore, gateway: Gateway) -> None:
    store = make_store(S3_ENDPOINT_URL=gateway.endpoint_url.replace("http", "https"))

    with pytest.raises(StoreError, match="The certificate of https://127.0.0.1"):
        store.head("bucket", "key")


WEB_PAGES = [
    (Fault(status=200, body=b""), "its answer has no IsTruncated"),
    (Fault(status=200, body=b"<html/>"), "its answer has no IsTruncated"),
    (Fault(status=302, headers={"Location": "/login"}), "it redirects every request"),
]


@pytest.mark.parametrize(("answer", "problem"), WEB_PAGES)
def test_answer_of_another_server_is_no_empty_bucket(
    store: ObjectStore, bucket: Bucket, gateway: Gateway, answer: Fault, problem: str
) -> None:
    gateway.faults += [answer, replace(answer, method="HEAD")] * 999

    with pytest.raises(NotObjectStorage, match=f"as object storage does: {problem}. Check S3_ENDPOINT_URL"):
        list(store.list(bucket.name))


def test_bucket_that_another_server_does_not_find_is_missing(
    store: ObjectStore, bucket: Bucket, gateway: Gateway
) -> None:
    gateway.faults.append(Fault(status=404, body=b"<html>"))

    with pytest.raises(BucketMissing, match="Check its name, S3_ENDPOINT_URL"):
        list(store.list(bucket.name))


@pytest.mark.parametrize("body", [b"", b"<html/>"])
def test_page_of_another_server_is_not_the_object(
    store: ObjectStore, bucket: Bucket, gateway: Gateway, body: bytes
) -> None:
    gateway.faults += [Fault(method=method, status=200, body=body) for method in ("GET", "HEAD", "PUT")]

    for call in (
        lambda: store.get(bucket.name, "key"),
        lambda: store.head(bucket.name, "key"),
        lambda: write(store, bucket),
    ):
        with pytest.raises(NotObjectStorage, match="its answer has no"):
            call()


def write(store: ObjectStore, bucket: Bucket) -> None:
    with store.put(bucket.name, "key") as writer:
        writer.write(b"a")


def test_archived_object_is_not_reported_as_denied(store: ObjectStore, bucket: Bucket, gateway: Gateway) -> None:
    gateway.faults.append(Fault(status=403, code="InvalidObjectState"))

    with pytest.raises(StoreRefused, match="InvalidObjectState, made by a test"):
        store.get(bucket.name, "key")

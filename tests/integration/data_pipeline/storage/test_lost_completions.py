"""The last answer of a multipart upload is lost: the object is complete, or absent."""

from collections.abc import Callable

import pytest

from data_pipeline.storage.object_store import ObjectStore
from data_pipeline.storage_errors import StoreRefused, StoreUnavailable
from tests.buckets import Bucket
from tests.integration.data_pipeline.storage.conftest import MakeStore
from tests.s3_gateway import Fault, Gateway

CONTENT = bytes(6 << 20)
METADATA = {"load-key": "an Ü"}
LOST = Fault(method="POST", loses_answer=True)
FORGOTTEN = Fault(method="POST", status=404, code="NoSuchUpload")
Write = Callable[..., str]


@pytest.fixture
def store(make_store: MakeStore, gateway: Gateway) -> ObjectStore:
    """A store that reaches the server through the gateway."""
    return make_store(S3_ENDPOINT_URL=gateway.endpoint_url)


@pytest.fixture
def write(store: ObjectStore, bucket: Bucket, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write an object in two parts, with faults of its last requests. Return its etag."""
    monkeypatch.setattr("data_pipeline.storage.object_writer.FIRST_PART_BYTES", 5 << 20)

    def write(*faults: Fault, overwrite: bool = True) -> str:
        with store.put(bucket.name, "key", metadata=METADATA, overwrite=overwrite) as writer:
            writer.write(CONTENT)
            gateway.faults += faults
        return writer.etag

    return write


@pytest.mark.parametrize("faults", [[LOST], [LOST, FORGOTTEN]])
def test_completed_upload_succeeds_after_a_lost_answer(write: Write, bucket: Bucket, faults: list[Fault]) -> None:
    etag = write(*faults)

    assert bucket.get("key") == CONTENT
    assert bucket.client.head_object(Bucket=bucket.name, Key="key")["ETag"] == etag


def test_conditional_upload_succeeds_after_a_lost_answer(write: Write, bucket: Bucket) -> None:
    write(LOST, overwrite=False)

    assert bucket.get("key") == CONTENT


def test_upload_that_the_server_forgot_fails(write: Write, bucket: Bucket) -> None:
    with pytest.raises(StoreRefused, match="NoSuchUpload"):
        write(FORGOTTEN)

    assert bucket.keys() == []


@pytest.mark.parametrize("content", [b"another", CONTENT])
def test_object_of_another_write_does_not_complete_an_upload(write: Write, bucket: Bucket, content: bytes) -> None:
    bucket.put("key", content)

    with pytest.raises(StoreRefused, match="NoSuchUpload"):
        write(FORGOTTEN)

    assert bucket.get("key") == content


def test_upload_that_stays_unanswered_is_aborted(write: Write, bucket: Bucket) -> None:
    with pytest.raises(StoreUnavailable):
        write(*4 * [Fault(method="POST", status=500, code="InternalError")])

    assert bucket.keys() == []
    assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket=bucket.name)

"""Objects are read in one version, written at once or not at all, and listed with a checkpoint."""

import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from data_pipeline.artefact_errors import ArtefactMissing, SourceChanged
from data_pipeline.storage import object_writer
from data_pipeline.storage.object_store import ObjectStore
from data_pipeline.storage_errors import BucketMissing, ObjectExists
from tests.buckets import Bucket
from tests.conftest import CHECKOUT

UNUSUAL_KEYS = [
    *("a b", "a+b", "a%20b", "%2F", "a?b=c&d#e", "a//b", "/a", "a/", "..", "./a", "a/../b", "a\\b", "s3://a/b"),
    *("<>&\"'", "~!*()[]{}|^`", "a\nb", "tab\t", "\r", "\x01", "\x7f", "x" * 1024),
    *("ä", "e\u0301", "😀", "\u200b", "\ufffe", "日本/語.csv"),
]


def test_object_is_read_as_it_was_written(store: ObjectStore, bucket: Bucket) -> None:
    content = os.urandom(300_000)
    with store.put(bucket.name, "folder/orders.csv", metadata={"load-key": "a1", "source-uri": "s3://ä %/b"}) as writer:
        writer.write(content[:1000])
        writer.write(content[1000:])

    stream = store.get(bucket.name, "folder/orders.csv")
    read = b"".join(iter(lambda: stream.read(70_000), b""))

    assert read == content
    assert stream.version == store.head(bucket.name, "folder/orders.csv")
    assert (stream.version.size, stream.version.etag) == (len(content), writer.etag)
    assert stream.version.metadata == {"load-key": "a1", "source-uri": "s3://ä %/b"}
    assert datetime.now(UTC) - stream.version.modified_at < timedelta(minutes=1)


def test_keys_of_unusual_characters_are_kept(store: ObjectStore, bucket: Bucket) -> None:
    for key in UNUSUAL_KEYS:
        with store.put(bucket.name, key) as writer:
            writer.write(key.encode())

    assert [store.get(bucket.name, key).read(2000).decode() for key in UNUSUAL_KEYS] == UNUSUAL_KEYS
    listed = [found.key for found in store.list(bucket.name)]
    assert listed == bucket.keys() == sorted(UNUSUAL_KEYS, key=str.encode)


def test_empty_object_is_written_and_read(store: ObjectStore, bucket: Bucket) -> None:
    with store.put(bucket.name, "empty"):
        pass

    assert store.get(bucket.name, "empty").read(10) == b""


@pytest.mark.slow
def test_large_object_is_invisible_until_it_is_complete(
    store: ObjectStore, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_writer, "FIRST_PART_BYTES", 5 << 20)  # the least that S3 allows
    content = os.urandom(11 << 20)
    bucket.put("big", b"the version before")

    with store.put(bucket.name, "big", metadata={"load-key": "b2"}) as writer:
        for start in range(0, len(content), 1 << 20):
            writer.write(content[start : start + (1 << 20)])
        assert bucket.get("big") == b"the version before"

    assert hashlib.sha256(bucket.get("big")).digest() == hashlib.sha256(content).digest()
    assert writer.etag.endswith('-3"')
    assert store.head(bucket.name, "big").metadata == {"load-key": "b2"}
    assert uploads(bucket) == []


@pytest.mark.parametrize("size", [100, 6 << 20])
def test_write_that_fails_leaves_nothing(
    store: ObjectStore, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(object_writer, "FIRST_PART_BYTES", 5 << 20)

    def write_half() -> None:
        with store.put(bucket.name, "half") as writer:
            writer.write(bytes(size))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()

    assert (bucket.keys(), uploads(bucket)) == ([], [])


@pytest.mark.parametrize("size", [100, 6 << 20])
def test_existing_object_is_not_overwritten(
    store: ObjectStore, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(object_writer, "FIRST_PART_BYTES", 5 << 20)
    bucket.put("key", b"first")

    with (
        pytest.raises(ObjectExists, match=f"s3://{bucket.name}/key exists already"),
        store.put(bucket.name, "key", overwrite=False) as writer,
    ):
        writer.write(bytes(size))

    assert (bucket.get("key"), uploads(bucket)) == (b"first", [])


def test_new_object_is_written_without_overwriting(store: ObjectStore, bucket: Bucket) -> None:
    with store.put(bucket.name, "key", overwrite=False) as writer:
        writer.write(b"first")

    assert bucket.get("key") == b"first"


def test_listing_of_several_pages_continues_after_a_checkpoint(store: ObjectStore, bucket: Bucket) -> None:
    keys = [f"in/{number:02}" for number in range(12)]
    for key in ("before", *keys, "other"):
        bucket.put(key, key.encode())

    found = list(store.list(bucket.name, prefix="in/"))
    later = store.list(bucket.name, prefix="in/", after=keys[4])

    assert [one.key for one in found] == keys
    assert [one.key for one in later] == keys[5:]
    assert found[3] == store.head(bucket.name, keys[3])
    assert list(store.list(bucket.name, prefix="none")) == []


def test_read_of_another_version_is_refused(store: ObjectStore, bucket: Bucket) -> None:
    bucket.put("key", b"first")
    etag = store.head(bucket.name, "key").etag
    bucket.put("key", b"second")

    with pytest.raises(SourceChanged, match=f"s3://{bucket.name}/key was changed .*: it was replaced"):
        store.get(bucket.name, "key", etag=etag)


def test_missing_object_and_missing_bucket_differ(store: ObjectStore, bucket: Bucket) -> None:
    for operation in (store.head, store.get):
        with pytest.raises(ArtefactMissing, match=f"There is no file s3://{bucket.name}/none"):
            operation(bucket.name, "none")
        with pytest.raises(BucketMissing, match="There is no bucket no-such-bucket at http://127.0.0.1:"):
            operation("no-such-bucket", "none")
    with pytest.raises(BucketMissing):
        list(store.list("no-such-bucket"))
    with pytest.raises(BucketMissing), store.put("no-such-bucket", "key") as writer:
        writer.write(b"a")


def uploads(bucket: Bucket) -> list[str]:
    """Return the keys of incomplete multipart uploads."""
    return [one["Key"] for one in bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", [])]


_WITHOUT_DJANGO = """
import sys
from types import SimpleNamespace
sys.modules["django"] = sys.modules["psycopg"] = None  # an import of them fails
from data_pipeline import conf
from data_pipeline.storage.object_store import ObjectStore
store = ObjectStore(conf.load_from(SimpleNamespace()))
with store.put(sys.argv[1], "key") as writer:
    writer.write(b"content")
print([store.get(one.bucket, one.key).read(100) for one in store.list(sys.argv[1])])
"""


def test_store_works_without_django_and_a_database(bucket: Bucket, s3_settings: dict[str, str]) -> None:
    script = [sys.executable, "-c", _WITHOUT_DJANGO, bucket.name]

    done = subprocess.run(script, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("[b'content']\n", "")

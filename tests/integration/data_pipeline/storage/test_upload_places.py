"""Uploads in a folder and in a bucket: published once, discarded otherwise, and pruned."""

import os
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from unittest.mock import patch

import pytest
from pytest_django import Settings

from data_pipeline import conf
from data_pipeline.artefact_errors import UnsupportedFormat
from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.services import ingest_requests
from data_pipeline.services.ingest_requests import Ingest, enqueue_upload
from data_pipeline.services.load_options import LoadOptions
from data_pipeline.services.load_pruning import prune_loads
from data_pipeline.services.request_execution import run_request
from data_pipeline.storage.addresses import open_source, resolve
from data_pipeline.storage.incoming_upload import IncomingUpload, UploadPlace
from data_pipeline.storage.upload_places import upload_place
from data_pipeline.storage_errors import BucketMissing
from data_pipeline.upload_errors import EmptyUpload, UploadNotStored, UploadTooLarge
from tests.buckets import Bucket
from tests.conftest import CompletedCommand, sql
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("load_tables", "empty_queue")
CONTENT = b"n\n1\n2\n"
NAME = blake2b(CONTENT, digest_size=32).hexdigest()
Manage = Callable[..., CompletedCommand]
Stored = Callable[[], list[str]]
NUMBERS = Ingest(options=LoadOptions(table="landing.numbers"), requested_by="test")


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.slow)])
def stored(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Stored:
    """Configure a place of uploads. Return a function for what it has, without what is above it."""
    sql("CREATE TABLE landing.numbers (n integer)")
    if request.param == "folder":
        settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "UPLOAD_ROOT": str(tmp_path)}
        return lambda: sorted(path.name for path in tmp_path.iterdir())
    request.getfixturevalue("s3_settings")
    bucket: Bucket = request.getfixturevalue("bucket")
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "UPLOAD_BUCKET": bucket.name}
    return lambda: sorted(key.rpartition("/")[2] for key in bucket.contents())


def place() -> UploadPlace:
    return upload_place(conf.load())


def received(content: bytes = CONTENT) -> IncomingUpload:
    upload = place().receive(max_bytes=1 << 20)
    upload.write(content)
    return upload


def receive_all(content: bytes) -> None:
    with place().receive(max_bytes=1 << 20) as upload:
        upload.write(content)
        upload.finish()


def enqueue(content: bytes = CONTENT) -> int:
    """Queue the load of an upload, as the API does. Return the request."""
    with received(content) as upload:
        return enqueue_upload(upload, NUMBERS).request_id


def test_published_upload_is_read_at_its_address(stored: Stored) -> None:
    with received() as upload:
        upload.finish()
        upload.publish()
    assert stored() == [NAME]
    with closing(open_source(resolve(upload.uri, conf.load()))) as source:
        assert source.read(100) == CONTENT


def test_equal_content_keeps_the_first_file(stored: Stored) -> None:
    versions = []
    for _ in range(2):
        with received() as upload:
            upload.finish()
            upload.publish()
        versions.append(resolve(upload.uri, conf.load()))
    assert versions[0] == versions[1]
    assert stored() == [NAME]


def test_upload_is_discarded_unless_it_is_published(stored: Stored) -> None:
    for finishes in (True, False):
        with received() as upload:
            if finishes:
                upload.finish()
    assert stored() == []


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"x" * (1 << 20) + b"x", UploadTooLarge), (b"", EmptyUpload), (b"%PDF-1.4", UnsupportedFormat)],
)
def test_unusable_upload_leaves_nothing(stored: Stored, content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        receive_all(content)
    assert stored() == []


def test_upload_of_parts_is_complete(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_pipeline.storage.object_writer.FIRST_PART_BYTES", 5 << 20)
    content = os.urandom(1 << 20) * 12
    with place().receive(max_bytes=1 << 30) as upload:
        for at in range(0, len(content), 300_000):
            upload.write(content[at : at + 300_000])
        upload.finish()
        upload.publish()
    assert (upload.size, stored()) == (len(content), [blake2b(content, digest_size=32).hexdigest()])


def test_full_disk_is_explained_and_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "UPLOAD_ROOT": str(tmp_path)}
    is_full = patch("os.fsync", side_effect=OSError(28, "No space left on device"))
    with is_full, pytest.raises(UploadNotStored, match="No space left on device"), received() as upload:
        upload.finish()
    assert list(tmp_path.iterdir()) == []


def test_missing_bucket_is_explained(s3_settings: dict[str, str], settings: Settings) -> None:
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "UPLOAD_BUCKET": "no-such-bucket"}
    with pytest.raises(BucketMissing), received() as upload:
        upload.finish()


def test_failed_enqueue_leaves_an_orphan_that_is_pruned(stored: Stored) -> None:
    upload = received()
    is_killed = patch.object(type(upload), "publish", side_effect=published_then_failing(upload))
    with is_killed, pytest.raises(KeyboardInterrupt), upload:
        enqueue_upload(upload, NUMBERS)
    assert (stored(), sql("SELECT count(*) FROM load_request")) == ([NAME], [(0,)])
    assert prune_loads(dry_run=True).uploads == 1
    assert (prune_loads().uploads, stored()) == (1, [])


def published_then_failing(upload: IncomingUpload) -> Callable[[], None]:
    publish = upload.publish

    def fail() -> None:
        publish()
        raise KeyboardInterrupt

    return fail


def test_upload_is_kept_while_a_request_needs_it_and_for_days_after(stored: Stored) -> None:
    request_id = enqueue()
    sql("UPDATE load_request SET created_at = now() - interval '90 days'")
    assert (prune_loads().uploads, stored()) == (0, [NAME])
    assert run_request(request_id).result == "success"
    assert prune_loads().uploads == 0
    sql("UPDATE load_request SET finished_at = now() - interval '31 days'")
    assert prune_loads().uploads == 0  # its load is from today
    sql("UPDATE load_log SET updated_at = now() - interval '31 days'")
    assert (prune_loads().uploads, stored()) == (1, [])


def test_pruned_content_that_is_sent_again_is_skipped(stored: Stored) -> None:
    run_request(enqueue())
    sql("UPDATE load_request SET finished_at = now() - interval '31 days'")
    sql("UPDATE load_log SET updated_at = now() - interval '31 days'")
    assert prune_loads().uploads == 1
    assert run_request(enqueue()).result == "skipped"
    assert sql("SELECT count(*) FROM landing.numbers") == [(2,)]


def test_uploads_are_kept_forever_with_0_days(stored: Stored, settings: Settings) -> None:
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "KEEP_UPLOADS_DAYS": 0}
    run_request(enqueue())
    sql("UPDATE load_request SET finished_at = now() - interval '9 years'")
    sql("UPDATE load_log SET updated_at = now() - interval '9 years'")
    assert (prune_loads().uploads, stored()) == (0, [NAME])


def test_temporary_upload_is_removed_after_a_day(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = received()
    upload.finish()  # then the server is killed
    assert prune_loads().uploads == 0
    for module in ("upload_folder", "upload_bucket"):
        monkeypatch.setattr(f"data_pipeline.storage.{module}.ABANDONED_AFTER", timedelta(0))
    eventually(lambda: prune_loads(dry_run=True).uploads == 1)  # an object's time has whole seconds
    assert (prune_loads().uploads, stored()) == (1, [])


def test_command_prints_the_pruned_uploads(stored: Stored, manage: Manage) -> None:
    enqueue()
    sql("DELETE FROM load_request")
    assert "Would delete 1 upload that no request and no load needs." in manage("prune_loads", "--dry-run").out
    assert manage("prune_loads", "--json").document["uploads"] == 1


def test_uploads_are_readable_beside_the_allowed_folders_and_buckets(stored: Stored, settings: Settings) -> None:
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "INGEST_ROOTS": ["/nowhere"], "INGEST_BUCKETS": ["other"]}
    assert run_request(enqueue()).result == "success"


def test_records_of_a_bucket_or_folder_are_loaded(stored: Stored) -> None:
    records = Ingest(options=NUMBERS.options, requested_by="test", action=RequestAction.RECORDS)
    with received(b'{"n": 7}\n') as upload:
        request_id = ingest_requests.enqueue_upload(upload, records).request_id
    assert run_request(request_id).result == "success"
    assert sql("SELECT n FROM landing.numbers") == [(7,)]

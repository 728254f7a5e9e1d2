"""Objects are loaded from a bucket as files are from a disk: once, in every format, and with every command."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from data_pipeline.artefact_errors import ArtefactMissing, BadAddress, SourceChanged
from data_pipeline.errors import TooManyRejects
from data_pipeline.models import LoadLog, LoadReject
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded, LoadOptions
from data_pipeline.services.load_replay import replay_load
from data_pipeline.services.load_requests import enqueue_load
from data_pipeline.services.request_execution import run_request
from data_pipeline.services.verifying import verify_load
from data_pipeline.storage.zstd import zstd
from data_pipeline.storage_errors import OutsideBuckets, TooLargeToSpool
from tests.buckets import Bucket
from tests.conftest import CompletedCommand, sql
from tests.integration.data_pipeline.storage.conftest import through
from tests.s3_gateway import Gateway
from tests.unit.data_pipeline.storage.made_workbooks import made_xlsx

pytestmark = pytest.mark.usefixtures("load_tables", "s3_settings")
Manage = Callable[..., CompletedCommand]
CSV = b"id,note\n1,a\n2,b\n"


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    sql("CREATE TABLE landing.orders (id integer PRIMARY KEY, note text)")


def load(uri: str, **options: Any) -> Loaded:
    return load_file(uri, **{"table": "landing.orders", **options})


def ids() -> list[int]:
    return [number for (number,) in sql("SELECT id FROM landing.orders ORDER BY id")]


def test_object_is_loaded_once_without_reading_it_again(bucket: Bucket, gateway: Gateway, settings: Settings) -> None:
    through(gateway, settings)
    uri = bucket.put("in/orders.csv", CSV)

    first, second = load(uri), load(uri)

    assert [one.status for one in (first, second)] == ["success", "skipped"]
    assert (ids(), second.load_id, second.size_bytes) == ([1, 2], first.load_id, len(CSV))
    head, get = f"HEAD /{bucket.name}/in/orders.csv", f"GET /{bucket.name}/in/orders.csv"
    assert gateway.requests == [head, get, head]
    meta = LoadLog.objects.get().payload_meta
    found = bucket.client.head_object(Bucket=bucket.name, Key="in/orders.csv")
    assert (meta["source_uri"], meta["etag"], meta["content_length"], meta["last_modified"]) == (
        uri, found["ETag"].strip('"'), len(CSV), found["LastModified"].isoformat()
    )  # fmt: skip


def test_changed_object_is_a_new_artefact(bucket: Bucket) -> None:
    uri = bucket.put("orders.csv", CSV)
    load(uri)
    bucket.put("orders.csv", b"id,note\n3,c\n")

    assert load(uri).status == "success"
    assert ids() == [1, 2, 3]


def test_equal_content_is_loaded_once_by_its_hash(bucket: Bucket, settings: Settings) -> None:
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "KEY_BY": "content"}

    statuses = [load(bucket.put(key, CSV)).status for key in ("one.csv", "two.csv")]

    assert (statuses, ids()) == (["success", "skipped"], [1, 2])


def test_compressed_object_is_streamed(bucket: Bucket) -> None:
    rows = "".join(f"{number},{'x' * 500}\n" for number in range(20_000))

    assert load(bucket.put("orders", gzip.compress(f"id,note\n{rows}".encode()))).counts.rows_inserted == 20_000


def test_object_is_loaded_with_values_of_a_reference_in_a_bucket(
    manage: Manage, bucket: Bucket, tmp_path: Path
) -> None:
    reference = bucket.put("reference/notes.csv.zst", zstd.compress(b"id;kind\n1;one\n2;two\n"))
    lookup = f"[columns.id]\n[lookups.note]\ncolumn = 'id'\ntake = 'kind'\nreference = '{reference}'\n"
    (tmp_path / "orders.toml").write_text(f"target = 'landing.orders'\n{lookup}")
    uri = bucket.put("10/orders.csv", b"id\n2\n3\n")
    ended = manage("load_file", uri, "--dialect", str(tmp_path / "orders.toml"), "--max-rejects", "1")
    assert (ended.exit_code, sql("SELECT id, note FROM landing.orders")) == (0, [(2, "two")]), ended.err
    assert f"not_in_reference: {reference} has no such value" in ended.out


def test_workbook_is_read_from_a_bounded_copy(bucket: Bucket, tmp_path: Path, settings: Settings) -> None:
    path = made_xlsx(tmp_path / "book.xlsx", *[
        '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c></row><row r="2"><c r="A2"><v>7</v></c></row>'
    ], parts={"filler.bin": bytes(2000)})  # fmt: skip
    uri = bucket.put("book.xlsx", path.read_bytes())

    loaded = load(uri)
    assert ids() == [7]
    assert verify_load(loaded.load_id, actor="test").artefact == "equal"

    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "MAX_SPOOLED_MB": 1}
    big = bucket.put("big.xlsx", path.read_bytes() + bytes(1 << 20))
    with pytest.raises(TooLargeToSpool, match=f"{big} has 1 MB, but a workbook"):
        load(big)


def test_rejects_of_an_object_are_kept_with_their_lines(bucket: Bucket) -> None:
    uri = bucket.put("orders.csv", b"id,note\n1,a\nx,b\n3,c\n")

    with pytest.raises(TooManyRejects):
        load(uri)
    assert (ids(), LoadReject.objects.get().line_no) == ([], 3)

    assert load(uri, max_rejects=1, force=True, mode="upsert").counts.rows_inserted == 2


def test_load_of_an_object_is_verified_and_replayed(bucket: Bucket) -> None:
    loaded = load(uri := bucket.put("orders.csv", CSV), mode="upsert")

    assert verify_load(loaded.load_id, actor="test").artefact == "equal"
    assert replay_load(loaded.load_id).counts.rows_unchanged == 2
    bucket.put("orders.csv", b"id,note\n1,changed\n")
    assert verify_load(loaded.load_id, actor="test").artefact == "changed"
    bucket.client.delete_object(Bucket=bucket.name, Key="orders.csv")
    assert verify_load(loaded.load_id, actor="test").artefact_problem == f"There is no file {uri}. Check the path."


def test_days_of_a_period_are_loaded_from_a_bucket(bucket: Bucket, manage: Manage) -> None:
    for day in (1, 3):
        bucket.put(f"in/orders-2026-11-0{day}.csv", f"id,note\n{day},a\n".encode())
    template = bucket.uri("in/orders-{date}.csv")

    ended = manage(
        "backfill", template, "--from", "2026-11-01", "--to", "2026-11-03", "--table", "landing.orders", "--json"
    )

    assert [day["state"] for day in json.loads(ended.out)["days"]] == ["loaded", "missing", "loaded"]
    assert ids() == [1, 3]


def test_worker_loads_the_object_of_a_request(bucket: Bucket, empty_queue: None) -> None:
    uri = bucket.put("orders.csv", CSV)

    queued = enqueue_load(uri, LoadOptions(table="landing.orders"), requested_by="test")

    assert (queued.source_uri, run_request(queued.request_id).result) == (uri, "success")
    with pytest.raises(ArtefactMissing):
        enqueue_load(bucket.uri("missing.csv"), LoadOptions(), requested_by="test")


def test_dry_run_of_an_object_writes_nothing(bucket: Bucket, manage: Manage) -> None:
    ended = manage("load_file", bucket.put("orders.csv", CSV), "--table", "landing.orders", "--dry-run")

    assert ended.lines[0].startswith("landing.orders: would load 2 records of orders.csv: 2 inserted")
    assert (ids(), LoadLog.objects.count()) == ([], 0)


def test_table_and_dialect_are_found_by_the_object(bucket: Bucket, manage: Manage) -> None:
    uri = bucket.put("in/Daily Orders-2026-11-29.csv", b"id;note\n1;a\n")
    try:
        assert load(uri, table="auto").target == "public.daily_orders"
    finally:
        sql("DROP TABLE IF EXISTS public.daily_orders")
    assert 'delimiter = ";"' in manage("infer_contract", uri).out


@pytest.mark.parametrize(
    "key", ["a?b#c.csv", "100%.csv", "%41.csv", "a//b.csv", "ä 日本.csv", "line\nbreak.csv", "\x1b[31m"]
)
def test_object_with_an_unusual_key_is_loaded_and_replayed(bucket: Bucket, manage: Manage, key: str) -> None:
    uri = bucket.put(key, CSV)

    ended = manage("load_file", uri, "--table", "landing.orders", "--mode", "upsert")

    assert ended.exit_code == 0
    assert len(ended.lines) == 2
    assert "".join(ended.lines).isprintable()
    load_log = LoadLog.objects.get()
    assert load_log.payload_meta["source_uri"] == uri
    assert replay_load(load_log.pk).counts.rows_unchanged == 2


def test_only_allowed_buckets_are_read(bucket: Bucket, gateway: Gateway, settings: Settings) -> None:
    through(gateway, settings, INGEST_BUCKETS=["bronze"])

    with pytest.raises(OutsideBuckets, match=f"s3://{bucket.name}/a.csv is outside of .* allows: bronze"):
        load(bucket.uri("a.csv"))
    assert gateway.requests == []


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("s3://bucket", "it names no object"),
        ("s3://bucket/", "it names no object"),
        ("s3:///key", "a bucket's name has"),
        ("s3://a_b c/key", "a bucket's name has"),
        ("s3://AKIA:secret@bucket/key", "it has credentials"),
        ("s3://bucket/" + 1025 * "x", "its key has 1,025 bytes"),
        ("s3://bucket/a\0b", "NUL"),
        ("s3://bucket/\udcff", "not Unicode"),
    ],
)
def test_address_of_no_object_is_refused(uri: str, problem: str) -> None:
    with pytest.raises(BadAddress, match=problem) as raised:
        load(uri)
    assert "secret" not in str(raised.value)
    assert str(raised.value).isprintable()


def test_object_replaced_between_two_reads_is_refused(bucket: Bucket) -> None:
    """A merge reads the file again behind its header if a chunk is refused, and finds another version."""
    rows = "".join(f"{number},{'x' * 100_000}\n" for number in range(60))
    uri = bucket.put("orders.csv", f"id,note\n1,a\n1,b\n{rows}".encode())

    with pytest.raises(SourceChanged, match="it was replaced"):
        load(uri, mode="upsert", max_rejects=5, on_progress=lambda _: bucket.put("orders.csv", CSV))
    assert (ids(), LoadLog.objects.get().status) == ([], "failed")

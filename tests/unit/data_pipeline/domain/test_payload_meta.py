import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.domain.payload_meta import build_payload_meta
from data_pipeline.domain.uris import is_uri, without_query


def test_remote_object_is_described_by_its_stable_metadata() -> None:
    meta = build_payload_meta(
        path="s3://bronze/10/a.csv",
        remote_meta={
            "ETag": '"abc"',
            "LastModified": datetime(2025, 1, 2, tzinfo=UTC),
            "ContentLength": 7,
            "Owner": "x",
        },
    )
    assert meta == {
        "source_uri": "s3://bronze/10/a.csv",
        "etag": "abc",
        "last_modified": "2025-01-02T00:00:00+00:00",
        "content_length": 7,
    }


def test_local_file_is_described_by_its_status(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id\n")
    meta = build_payload_meta(path=path)
    assert (meta["source_uri"], meta["file"], meta["size_bytes"]) == (str(path), str(path.resolve()), 3)


def test_payload_is_described_by_length_and_hash() -> None:
    expected = {"payload_bytes": 3, "payload_blake2b": blake2b("zł".encode(), digest_size=32).hexdigest()}
    assert build_payload_meta(payload="zł") == build_payload_meta(payload="zł".encode()) == expected


def test_extra_wins_over_the_fingerprint() -> None:
    meta = build_payload_meta(path="s3://b/k", extra={"source_uri": ["s3://b/k", "s3://b/l"], "rows": 5, "force": True})
    assert meta == {"source_uri": ["s3://b/k", "s3://b/l"], "rows": 5, "force": True}


def test_urls_lose_credentials_and_query_wherever_they_are() -> None:
    url = "https://user:secret@store.example/a.csv?X-Amz-Signature=secret#x"
    meta = build_payload_meta(path=url, extra={"also": [{"url": url}]})
    assert meta == {"source_uri": "https://store.example/a.csv", "also": [{"url": "https://store.example/a.csv"}]}


def test_values_become_json() -> None:
    extra = {"at": datetime(2025, 1, 2, tzinfo=UTC), "sum": Decimal("1.50"), "raw": b"\xff", "names": {"b", "a"}}
    assert build_payload_meta(extra=extra) == {
        "at": "2025-01-02T00:00:00+00:00",
        "sum": "1.50",
        "raw": "ff",
        "names": ["a", "b"],
    }


@pytest.mark.parametrize(("text", "stored"), [("a\0b", "a\\x00b"), ("caf\udce9", "caf\\udce9"), ("zł", "zł")])
def test_characters_that_jsonb_cannot_store_are_escaped(text: str, stored: str) -> None:
    assert build_payload_meta(extra={text: text}) == {stored: stored}


def test_value_without_json_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot be stored in payload_meta"):
        build_payload_meta(extra={"a": object()})


@given(st.dictionaries(st.text(), st.floats() | st.text() | st.binary() | st.lists(st.decimals())))
def test_any_meta_is_strict_json_in_utf8(extra: dict[str, object]) -> None:
    text = json.dumps(build_payload_meta(extra=extra), allow_nan=False, ensure_ascii=False)
    assert re.search(r"(?<!\\)(\\\\)*\\u0000", text) is None
    assert text.encode()


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://u:p@h/a?b#c", "https://h/a"),
        ("HTTPS://h?b", "HTTPS://h"),
        ("s3://bucket/a?b#c.csv", "s3://bucket/a?b#c.csv"),
        ("s3://key:secret@bucket/a@b", "s3://bucket/a@b"),
        ("/data/a?b.csv", "/data/a?b.csv"),
        ("say https://h/?a", "say https://h/?a"),
    ],
)
def test_uri_without_query_keeps_the_key_of_an_object(uri: str, expected: str) -> None:
    assert without_query(uri) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("s3://b/k", True), ("C:\\a.csv", False), ("C://a", False), ("a", False)]
)
def test_uri_begins_with_a_scheme(text: str, *, expected: bool) -> None:
    assert is_uri(text) is expected

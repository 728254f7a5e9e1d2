import os
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.domain.canonical_bytes import canonical_bytes
from data_pipeline.domain.idempotency_keys import compute_idempotency_key, forced_key
from data_pipeline.errors import BadIdempotencyKey, NothingToIdentify

REMOTE = {"etag": '"abc"', "last_modified": "2025-10-21T07:28:00Z", "content_length": 7}
NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=5) | st.decimals()
json_like = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"id\n1\n")
    return path


def test_key_is_64_hexadecimal_digits() -> None:
    assert re.fullmatch("[0-9a-f]{64}", compute_idempotency_key(payload=b"x"))


def test_remote_metadata_identify_before_file_and_payload(file: Path) -> None:
    key = compute_idempotency_key(remote_meta=REMOTE)
    assert compute_idempotency_key(remote_meta=REMOTE, path=file, payload=b"x") == key


def test_file_identifies_before_the_payload(file: Path) -> None:
    assert compute_idempotency_key(path=file, payload=b"x") == compute_idempotency_key(path=file)


@pytest.mark.parametrize("field", ["etag", "last_modified", "content_length", "content_md5"])
def test_each_remote_field_changes_the_key(field: str) -> None:
    assert compute_idempotency_key(remote_meta={**REMOTE, field: "9"}) != compute_idempotency_key(remote_meta=REMOTE)


@pytest.mark.parametrize(
    "spelled",
    [
        {"ETag": '"abc"', "LastModified": datetime(2025, 10, 21, 7, 28, tzinfo=UTC), "ContentLength": 7, "Owner": "x"},
        {"etag": 'W/"abc"', "last-modified": "Tue, 21 Oct 2025 07:28:00 GMT", "Content-Length": "7"},
        {"content_length": 7, "last_modified": "2025-10-21T09:28:00+02:00", "etag": "abc", "content_md5": None},
    ],
)
def test_spelling_of_remote_metadata_does_not_change_the_key(spelled: dict[str, object]) -> None:
    assert compute_idempotency_key(remote_meta=spelled) == compute_idempotency_key(remote_meta=REMOTE)


def test_weak_etag_alone_identifies_nothing() -> None:
    weak = {"ETag": 'W/"abc"'}
    assert compute_idempotency_key(remote_meta=weak, payload=b"x") == compute_idempotency_key(payload=b"x")
    with pytest.raises(NothingToIdentify):
        compute_idempotency_key(remote_meta=weak)


@pytest.mark.parametrize("sources", [{}, {"remote_meta": {"Owner": "x"}}, {"path": "s3://b/k"}, {"extra": {"a": 1}}])
def test_key_without_any_identity_is_refused(sources: dict[str, Any]) -> None:
    with pytest.raises(NothingToIdentify, match="Nothing identifies the artefact: give"):
        compute_idempotency_key(**sources)


def test_same_metadata_at_another_address_have_another_key() -> None:
    one = compute_idempotency_key(path="s3://bronze/a.csv", remote_meta=REMOTE)
    assert compute_idempotency_key(path="s3://bronze/b.csv", remote_meta=REMOTE) != one


def test_presigned_url_has_the_key_of_the_plain_url() -> None:
    url = "https://store.example/a.csv"
    signed = [f"{url}?X-Amz-Date=1&X-Amz-Signature={signature}" for signature in "ab"]
    assert len({compute_idempotency_key(path=one, remote_meta=REMOTE) for one in (*signed, url)}) == 1
    assert len({compute_idempotency_key(payload=b"x", extra={"source_uri": one}) for one in (*signed, url)}) == 1


def test_query_without_signature_belongs_to_the_key() -> None:
    years = [f"https://store.example/export?year={year}" for year in (2025, 2026)]
    assert len({compute_idempotency_key(path=one, remote_meta=REMOTE) for one in years}) == 2


def test_changed_file_has_another_key(file: Path) -> None:
    keys = [compute_idempotency_key(path=file)]
    status = file.stat()
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    keys.append(compute_idempotency_key(path=file))
    file.write_bytes(b"id\n1\n2\n")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    keys.append(compute_idempotency_key(path=file))
    assert len(set(keys)) == 3


def test_other_file_of_same_size_and_time_has_another_key(file: Path) -> None:
    copy = file.with_name("copy.csv")
    copy.write_bytes(file.read_bytes())
    times = (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    os.utime(copy, ns=times)
    assert compute_idempotency_key(path=copy) != compute_idempotency_key(path=file)


def test_spelling_of_a_path_does_not_change_the_key(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    assert len({compute_idempotency_key(path=one) for one in (file, str(file), "orders.csv", "./orders.csv")}) == 1


def test_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        compute_idempotency_key(path=tmp_path / "nosuch.csv")


def test_payload_as_text_or_bytes_has_one_key() -> None:
    assert compute_idempotency_key(payload="zł") == compute_idempotency_key(payload="zł".encode())


def test_empty_payload_identifies_an_empty_artefact() -> None:
    assert compute_idempotency_key(payload=b"") != compute_idempotency_key(payload=b"0")


def test_order_of_a_mapping_does_not_change_the_key() -> None:
    one, other = {"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}
    assert compute_idempotency_key(payload=one, extra=one) == compute_idempotency_key(payload=other, extra=other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": "b"}, {"ab": ""}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": "1"}),
        ({"a": None}, {"a": "None"}),
        ({"a": None}, {}),
        ({"a": b"x"}, {"a": "x"}),
        ({"a": ["x", "y"]}, {"a": ["xy"]}),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}),
        ({"a": [["x"], "y"]}, {"a": ["x", ["y"]]}),
        ({"a": Decimal(1)}, {"a": Decimal("1.0")}),
    ],
)
def test_different_extras_have_different_keys(one: dict[str, object], other: dict[str, object]) -> None:
    assert compute_idempotency_key(payload=b"", extra=one) != compute_idempotency_key(payload=b"", extra=other)


@given(json_like, json_like)
def test_canonical_bytes_are_equal_for_equal_values_only(one: object, other: object) -> None:
    assert (canonical_bytes(one) == canonical_bytes(other)) == (repr(_sorted(one)) == repr(_sorted(other)))


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value


def test_equal_values_of_other_types_have_equal_canonical_bytes() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=2)))
    assert canonical_bytes([Path("a"), {1, 2}, NOON]) == canonical_bytes(("a", frozenset((2, 1)), east))


def test_value_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(TypeError, match="has no canonical bytes"):
        compute_idempotency_key(payload=object())


def test_forced_key_depends_on_key_overrides_and_time() -> None:
    key, other_key = compute_idempotency_key(payload=b"x"), compute_idempotency_key(payload=b"y")
    later = NOON + timedelta(microseconds=1)
    calls: list[tuple[str, dict[str, object], datetime]] = [
        (key, {}, NOON),
        (other_key, {}, NOON),
        (key, {"mode": "replace"}, NOON),
        (key, {}, later),
    ]
    assert len({key, *(forced_key(*call) for call in calls)}) == 5
    assert forced_key(key, {}, NOON) == forced_key(key, {}, NOON.astimezone(timezone(timedelta(hours=-5))))


def test_forced_key_of_no_key_is_refused() -> None:
    with pytest.raises(BadIdempotencyKey):
        forced_key("abc", {}, NOON)

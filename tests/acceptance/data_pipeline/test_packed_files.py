"""Compressed files, files with a wrong suffix, and other formats: loaded exactly, or refused as a whole."""

import gzip
import hashlib
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from data_pipeline.artefact_errors import (
    ArtefactError,
    DamagedArtefact,
    SuspiciousCompression,
    UnpacksTooLarge,
    UnsupportedFormat,
)
from data_pipeline.models import LoadLog
from tests.acceptance.data_pipeline.file_loads import Bad, create, load, require, rows

pytestmark = pytest.mark.usefixtures("load_tables")
BODY = b'id,name\n1,"a\nb"\nx,c\n3,d\n'
NOISE = b"id,name\n" + b"".join(
    b"%d,%b\n" % (at, hashlib.sha256(b"%d" % at).hexdigest().encode()) for at in range(5000)
)


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    create("id integer, name text")


def zipped(**members: bytes) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [BODY, gzip.compress(BODY), gzip.compress(BODY[:12]) + gzip.compress(BODY[12:]), gzip.compress(BODY) + bytes(512)],
    ids=["plain", "gzip", "members", "padding"],
)
@pytest.mark.parametrize("name", ["orders.csv", "orders.csv.gz", "orders.xlsx", "orders"])
def test_content_decides_the_format(tmp_path: Path, content: bytes, name: str) -> None:
    require(load(tmp_path, content, name=name), good=2, bad=[Bad(4, 2, b"x,c", {"id": "22P02"})])
    assert rows() == [(1, "a\nb"), (3, "d")]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: gzip.compress(NOISE)[:-20], DamagedArtefact, "ends"),
        (lambda: gzip.compress(NOISE)[:5000], DamagedArtefact, "ends"),
        (lambda: _flipped(gzip.compress(NOISE), 9000), DamagedArtefact, "byte"),
        (lambda: gzip.compress(NOISE) + b"1,a\n", DamagedArtefact, "byte"),
        (lambda: gzip.compress(b"id,name\n" + b"1,a\n" * 16_000_000, 9), SuspiciousCompression, "bomb"),
        (lambda: gzip.compress(gzip.compress(BODY)), UnsupportedFormat, "gzip"),
        (lambda: gzip.compress(zipped(a=BODY)), UnsupportedFormat, "inside gzip"),
        (lambda: zipped(**{"orders.csv": BODY}), UnsupportedFormat, "zip"),
        (lambda: zipped(**{"inner.zip": zipped(a=BODY)}), UnsupportedFormat, "zip"),
        (lambda: b"\x28\xb5\x2f\xfd" + BODY, UnsupportedFormat, "zstd"),
        (lambda: b"BZh91AY&SY" + BODY, UnsupportedFormat, "bzip2"),
        (lambda: b"\xfd7zXZ\0" + BODY, UnsupportedFormat, "xz"),
        (lambda: b"PAR1" + BODY, UnsupportedFormat, "Parquet"),
        (lambda: b"%PDF-1.7" + BODY, UnsupportedFormat, "PDF"),
        (lambda: b"<!DOCTYPE html><html></html>", UnsupportedFormat, "web page"),
    ],
    ids=[
        "no trailer", "half", "flipped byte", "text behind", "bomb", "gzip twice", "zip in gzip", "zip", "zip in zip",
        "zstd", "bzip2", "xz", "parquet", "pdf", "html",
    ],
)  # fmt: skip
def test_file_that_cannot_be_read_leaves_no_row(
    tmp_path: Path, make: Callable[[], bytes], error: type[ArtefactError], message: str
) -> None:
    with pytest.raises(error, match=message):
        load(tmp_path, make())
    assert rows() == []
    assert list(LoadLog.objects.values_list("status", "error_code")) == [("failed", error.__name__)]


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_file_that_unpacks_to_more_than_allowed_leaves_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_PIPELINE_MAX_UNPACKED_MB", "1")
    with pytest.raises(UnpacksTooLarge):
        load(tmp_path, gzip.compress(NOISE * 4))
    assert rows() == []

"""Compressed files, wrong suffixes, and formats that are not loaded."""

import gzip
import hashlib
import zipfile
from io import BytesIO

from data_pipeline.storage.zstd import zstd
from tests.acceptance.data_pipeline.catalogue.files import File, refused
from tests.acceptance.data_pipeline.file_loads import Bad

_BODY = b'id,name\n1,"a\nb"\nx,c\n3,d\n'
_NOISE = b"id,name\n" + b"".join(
    b"%d,%b\n" % (number, hashlib.sha256(b"%d" % number).hexdigest().encode()) for number in range(5000)
)
_PACKED = gzip.compress(_NOISE, mtime=0)
_CONTENTS = {
    "plain": _BODY,
    "gzip": gzip.compress(_BODY),
    "gzip of two members": gzip.compress(_BODY[:12]) + gzip.compress(_BODY[12:]),
    "zstd of two frames": zstd.compress(_BODY[:12]) + zstd.compress(_BODY[12:]),
    "gzip with padding": gzip.compress(_BODY) + bytes(512),
}


def _loaded(kind: str, file_name: str) -> File:
    return File(
        name=f"{kind}, named {file_name}",
        content=_CONTENTS[kind],
        file_name=file_name,
        rows=[(1, "a\nb"), (3, "d")],
        bad=[Bad(4, 2, b"x,c", {"id": "22P02"})],
    )


def _zipped(name: str, content: bytes) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        file.writestr(name, content)
    return written.getvalue()


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


FORMATS = [
    *[_loaded(kind, name) for kind in _CONTENTS for name in ("orders.csv", "orders.csv.gz", "orders.xlsx", "orders")],
    refused("gzip without its trailer", _PACKED[:-4], "ends early"),
    refused("half a gzip", _PACKED[: len(_PACKED) // 2], "ends early"),
    refused("gzip with a flipped bit", _flipped(_PACKED, 9000), "invalid after byte"),
    refused("gzip with text behind it", _PACKED + b"1,a\n", "from byte"),
    refused("bomb, 1:1000", lambda path: path.write_bytes(gzip.compress(bytes(64_000_000))), "bomb"),
    refused(
        "more than MAX_UNPACKED_MB",
        gzip.compress(4 * _NOISE),
        "1 MB",
        environment={"DATA_PIPELINE_MAX_UNPACKED_MB": "1"},
    ),
    refused("gzip twice", gzip.compress(gzip.compress(_BODY)), "gzip"),
    refused("zip", _zipped("orders.csv", _BODY), "zip"),
    refused("zip in zip", _zipped("inner.zip", _zipped("orders.csv", _BODY)), "zip"),
    refused("zip in gzip", gzip.compress(_zipped("orders.csv", _BODY)), "inside gzip"),
    refused("half a zstd", zstd.compress(_BODY)[:-4], "ends early"),
    refused("text that begins as zstd", b"\x28\xb5\x2f\xfd" + _BODY, "zstd data is invalid"),
    refused("bzip2", b"BZh91AY&SY" + _BODY, "bzip2"),
    refused("xz", b"\xfd7zXZ\0" + _BODY, "xz"),
    refused("Parquet", b"PAR1" + _BODY, "Parquet"),
    refused("PDF", b"%PDF-1.7" + _BODY, "PDF"),
    refused("web page", b"<!DOCTYPE html><html></html>", "web page"),
]

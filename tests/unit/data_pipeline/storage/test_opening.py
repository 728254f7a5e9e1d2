import gzip
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.artefact_errors import ArtefactMissing, SourceChanged, UnsupportedFormat
from data_pipeline.storage.byte_streams import PieceStream
from data_pipeline.storage.file_addresses import resolve
from tests.unit.data_pipeline.storage.opened import csv_of, opened, read_all

CSV = b"id,name\n1,\xc3\xa9\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_bytes(CSV)
    return path


def test_csv_file_is_read_unchanged(file: Path) -> None:
    with opened(file) as artefact:
        assert (artefact.format, artefact.compression, artefact.size) == ("csv", None, len(CSV))
        assert [artefact.read(5), artefact.read(100), artefact.read(5), artefact.read(5)] == [
            CSV[:5],
            CSV[5:],
            b"",
            b"",
        ]


def test_hashes_are_of_the_file_on_disk(file: Path) -> None:
    packed = gzip.compress(b"\xef\xbb\xbf" + CSV)
    file.write_bytes(packed)
    with opened(file) as artefact:
        assert read_all(artefact) == CSV
        assert artefact.file_sha256 == hashlib.sha256(packed).hexdigest()
        assert artefact.content_blake2b == hashlib.blake2b(packed, digest_size=32).hexdigest()


def test_hashes_before_the_end_are_a_programming_error(file: Path) -> None:
    with opened(file) as artefact:
        artefact.read(100)
        for name in ("file_sha256", "content_blake2b"):
            with pytest.raises(RuntimeError, match="not hashed to its end"):
                getattr(artefact, name)


def test_position_counts_bytes_of_the_file_on_disk(file: Path) -> None:
    with opened(file) as artefact:
        assert artefact.position == 0
        artefact.read(4)
        assert artefact.position == 4
    file.write_bytes(gzip.compress(CSV * 1000))
    with opened(file) as artefact:
        read_all(artefact)
        assert artefact.position == artefact.size < 1000


def test_empty_file_is_empty_csv(file: Path) -> None:
    file.write_bytes(b"")
    with opened(file) as artefact:
        assert (artefact.read(10), artefact.format) == (b"", "csv")
        assert artefact.file_sha256 == hashlib.sha256(b"").hexdigest()


def test_line_of_csv_is_the_line_of_the_file(file: Path) -> None:
    with opened(file) as artefact:
        assert artefact.line_of(7) == 7


def test_file_that_grows_is_refused_at_the_end(file: Path) -> None:
    with opened(file) as artefact:
        artefact.read(100)
        with file.open("ab") as writer:
            writer.write(b"2,b\n")
        with pytest.raises(SourceChanged, match="from 13 to 17 bytes"):
            read_all(artefact)


def test_file_that_shrinks_is_refused(file: Path) -> None:
    with opened(file) as artefact:
        os.truncate(file, 3)
        with pytest.raises(SourceChanged, match="from 13 to 3 bytes"):
            read_all(artefact)


def test_file_that_is_rewritten_with_equal_length_is_refused(file: Path) -> None:
    os.utime(file, ns=(0, 0))
    with opened(file) as artefact:
        artefact.read(100)
        file.write_bytes(CSV.upper())
        with pytest.raises(SourceChanged, match="modification time"):
            artefact.read(100)


def test_file_that_is_replaced_is_read_to_the_end_of_the_old_one(file: Path, tmp_path: Path) -> None:
    with opened(file) as artefact:
        (tmp_path / "new").write_bytes(b"other")
        (tmp_path / "new").rename(file)
        assert read_all(artefact) == CSV


def test_file_that_is_deleted_before_opening_is_missing(file: Path) -> None:
    address = resolve(str(file), roots=[])
    file.unlink()
    with pytest.raises(ArtefactMissing):
        opened(address.path)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"\x89PNG\r\n\x1a\n....", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"GIF89a", "GIF"),
        (b"PAR1....", "Parquet"),
        (b"ARROW1\0\0", "Arrow"),
        (b"Obj\x01", "Avro"),
        (b"SQLite format 3\0", "SQLite"),
        (b"PGDMP\x01", "pg_restore"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh91AY&SY", "bzip2"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\x07\x00", "RAR"),
        (b"a" * 257 + b"ustar\x0000", "tar"),
        (b"\xff\xfea\0\0\0"[:2] + b"\0\0a\0\0\0", "UTF-32"),
        (b"\xef\xbb\xbf \n<!DOCTYPE HTML>", "web page"),
        (b"<HTML><table>", "web page"),
        (b"<?xml version='1.0'?>", "XML"),
    ],
)
def test_other_format_is_named_whatever_the_file_is_called(file: Path, content: bytes, named: str) -> None:
    file.write_bytes(content)
    with pytest.raises(UnsupportedFormat, match=named):
        opened(file)


@pytest.mark.parametrize(
    "content", [b"BZh,MZ\n", b"PK,key\n", b"\0a\0b", b"a\0,\0b\0", b"7z,a\n", b"\x1f,a\n", b"<a>,b\n"]
)
def test_file_without_a_signature_is_left_to_the_database(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert csv_of(file) == content


def test_file_is_closed_after_an_error(file: Path) -> None:
    file.write_bytes(b"%PDF-")
    descriptors = Path("/dev/fd")
    before = len(list(descriptors.iterdir()))
    with pytest.raises(UnsupportedFormat):
        opened(file)
    assert len(list(descriptors.iterdir())) == before


@given(st.lists(st.binary(max_size=9)), st.integers(1, 20), st.integers(0, 20))
def test_pieces_are_read_in_any_sizes(pieces: list[bytes], size: int, peeked: int) -> None:
    stream = PieceStream(iter(pieces))
    whole = b"".join(pieces)
    assert stream.peek(peeked) == whole[:peeked]
    reads = list(iter(lambda: stream.read(size), b""))
    assert b"".join(reads) == whole
    assert all(len(read) == size for read in reads[:-1])

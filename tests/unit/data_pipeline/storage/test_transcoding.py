import codecs
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.artefact_errors import UndecodableText, UnknownEncoding
from tests.unit.data_pipeline.storage.opened import csv_of, opened, read_all

TEXT = 'id,name\r\n1,"é, 日本"\r\n2,\U0001f600\r\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")],
)
@pytest.mark.parametrize("declared", [None, "cp1252", "utf-8", "utf-16"])
def test_byte_order_mark_decides_and_is_removed(file: Path, mark: bytes, encoding: str, declared: str | None) -> None:
    for packed in (False, True):
        content = mark + TEXT.encode(encoding)
        file.write_bytes(gzip.compress(content) if packed else content)
        assert csv_of(file, encoding=declared) == TEXT.encode()


def test_only_one_byte_order_mark_is_removed(file: Path) -> None:
    file.write_bytes(codecs.BOM_UTF8 * 2 + b"a\n")
    assert csv_of(file) == codecs.BOM_UTF8 + b"a\n"


def test_file_of_a_mark_only_is_empty(file: Path) -> None:
    for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE):
        file.write_bytes(mark)
        assert csv_of(file) == b""


@pytest.mark.parametrize("encoding", ["cp1252", "iso-8859-2", "utf-16-le", "utf-16-be", "shift_jis", "utf-7"])
def test_declared_encoding_is_transcoded(file: Path, encoding: str) -> None:
    text = "Straße; é\n".replace("é", "e") if encoding == "shift_jis" else "Straße; é\n"
    text = text.replace("ß", "ss") if encoding == "shift_jis" else text
    file.write_bytes((text * 90_000).encode(encoding))  # more than two reads, with characters across their ends
    assert csv_of(file, encoding=encoding) == (text * 90_000).encode()


@pytest.mark.parametrize("declared", [None, "utf-8", "UTF8", "utf_8_sig"])
def test_utf_8_is_left_to_the_database(file: Path, declared: str | None) -> None:
    content = b"a\n\xff\xfd\x00\xc3\n"
    file.write_bytes(content)
    assert csv_of(file, encoding=declared) == content


def test_invalid_byte_is_refused_with_its_line(file: Path) -> None:
    file.write_bytes(b"a\n" * 300_000 + b"b\xe9\n\x81\n")
    with pytest.raises(UndecodableText, match=r"cp1252: line 300002 has the bytes 81 \("):
        csv_of(file, encoding="cp1252")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"\xff\xfea\0\n\0b", 2),
        (b"\xff\xfea\0\n\0\0\xd8", 2),
        (b"\xff\xfea\0\0\xdca\0", 1),
        (b"\xfe\xff\0\n\xd8\0\0a", 2),
    ],
)
def test_incomplete_utf_16_is_refused_with_its_line(file: Path, content: bytes, line: int) -> None:
    file.write_bytes(content)
    with pytest.raises(UndecodableText, match=f"utf-16-[lb]e: line {line} has"):
        csv_of(file)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_utf_16_without_a_mark_needs_the_byte_order(file: Path, encoding: str) -> None:
    file.write_bytes("a\n".encode("utf-16-le"))
    with pytest.raises(UndecodableText, match=f"{encoding}-be"):
        opened(file, encoding=encoding)


@pytest.mark.parametrize("encoding", ["", "nonsense", "base64", "zlib", "undefined", "a\0b"])
def test_unknown_encoding_is_refused(file: Path, encoding: str) -> None:
    file.write_bytes(b"a\n")
    with pytest.raises(UnknownEncoding):
        opened(file, encoding=encoding)


@given(st.text(max_size=50), st.sampled_from(["utf-16-le", "utf-16-be"]), st.integers(1, 9))
def test_utf_16_gives_the_same_text_in_any_sizes(
    tmp_path_factory: pytest.TempPathFactory, text: str, encoding: str, size: int
) -> None:
    file = tmp_path_factory.mktemp("utf16") / "rows.csv"
    file.write_bytes(("\ufeff" + text).encode(encoding, "surrogatepass"))
    try:
        expected = text.encode()
    except UnicodeEncodeError:
        return
    if text.startswith("\0") and encoding == "utf-16-le":
        return  # looks like UTF-32
    with opened(file) as artefact:
        assert read_all(artefact, size) == expected

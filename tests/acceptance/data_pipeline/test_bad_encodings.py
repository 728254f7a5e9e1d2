"""Files in other encodings, with byte order marks, and with bytes that are no text."""

from pathlib import Path

import pytest

from data_pipeline.artefact_errors import EmptyArtefact, UndecodableText
from tests.acceptance.data_pipeline.file_loads import NOT_TEXT, Bad, create, load, require, rows

pytestmark = pytest.mark.usefixtures("load_tables")
TEXT = "id,name\n1,Zażółć\n2,plain\n"
CP1252 = 'encoding = "cp1252"'


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    create("id integer, name text")


@pytest.mark.parametrize(
    ("content", "dialect"),
    [
        (TEXT.encode(), None),
        (TEXT.encode("utf-8-sig"), None),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), None),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), None),
        (TEXT.encode("utf-16"), CP1252),  # the mark outweighs the declared encoding
        (TEXT.encode("cp1250"), 'encoding = "cp1250"'),
        (TEXT.encode("iso-8859-2"), 'encoding = "iso-8859-2"'),
    ],
    ids=["utf-8", "utf-8-bom", "utf-16-le", "utf-16-be", "bom-and-declared", "cp1250", "iso-8859-2"],
)
def test_text_in_a_known_encoding_is_loaded(tmp_path: Path, content: bytes, dialect: str | None) -> None:
    require(load(tmp_path, content, dialect=dialect), good=2)
    assert rows() == [(1, "Zażółć"), (2, "plain")]


@pytest.mark.parametrize(
    "name",
    [
        b"Jos\xe9",  # cp1252
        b"Za\xbf\xf3\xb3\xe6",  # cp1250
        b"caf\xc3\xa9 caf\xe9",  # UTF-8 and cp1252 in one field
        b"\xc0\xaf",  # overlong slash
        b"\xe0\x80\xaf",  # overlong in three bytes
        b"\xed\xa0\x80",  # half of a surrogate pair
        b"\xf4\x90\x80\x80",  # beyond U+10FFFF
        b"\xf0\x9f\x98",  # cut emoji
        b"nul\0",
    ],
)
def test_record_that_is_not_utf_8_is_rejected_alone(tmp_path: Path, name: bytes) -> None:
    loaded = load(tmp_path, b"id,name\n1,a\n2," + name + b"\n3,\xc3\xa9\n")
    require(loaded, good=2, bad=[Bad(3, 2, b"2," + name, NOT_TEXT)])
    assert rows() == [(1, "a"), (3, "é")]


def test_bad_bytes_in_a_quoted_field_of_several_lines_cost_that_record(tmp_path: Path) -> None:
    loaded = load(tmp_path, b'id,name\n1,"a\nb"\n2,"c\n\xff"\n3,d\n')
    require(loaded, good=2, bad=[Bad(4, 2, b'2,"c\n\xff"', NOT_TEXT)])
    assert rows() == [(1, "a\nb"), (3, "d")]


def test_control_characters_are_text(tmp_path: Path) -> None:
    require(load(tmp_path, b"id,name\n1,\x01\x1a\x7f\n"), good=1)
    assert rows() == [(1, "\x01\x1a\x7f")]


def test_byte_that_the_declared_encoding_lacks_fails_the_load(tmp_path: Path) -> None:
    with pytest.raises(UndecodableText, match=r"line 3 has .*81"):
        load(tmp_path, b"id,name\n1,a\n2,\x81\n", dialect=CP1252)
    assert rows() == []


def test_odd_byte_at_the_end_of_utf_16_fails_the_load(tmp_path: Path) -> None:
    with pytest.raises(UndecodableText, match=r"line 3"):
        load(tmp_path, TEXT.encode("utf-16")[:-1])


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_file_without_a_character_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(EmptyArtefact):
        load(tmp_path, content)

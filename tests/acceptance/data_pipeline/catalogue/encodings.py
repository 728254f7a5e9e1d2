"""Empty files, encodings, byte order marks, and bytes that are no text."""

from tests.acceptance.data_pipeline.catalogue.files import HEADER, File, names, refused
from tests.acceptance.data_pipeline.file_loads import NOT_TEXT, Bad

_TEXT = "id,name\n1,Zażółć\n2,plain\n"
_ROWS = [(1, "Zażółć"), (2, "plain")]
_CP1252 = 'encoding = "cp1252"'


def _text(name: str, content: bytes, dialect: str | None = None) -> File:
    return File(name=name, content=content, dialect=dialect, rows=_ROWS)


def _not_text(name: str, field: bytes) -> File:
    """Return a file with a record that is not UTF-8, between two that are."""
    body = b"1,a\n2," + field + b"\n3,\xc3\xa9\n"
    return names(name, body, (1, "a"), (3, "é"), bad=[Bad(3, 2, b"2," + field, NOT_TEXT)])


ENCODINGS = [
    refused("empty file", b"", "is empty"),
    refused("blank line only", b"\n", "is empty"),
    refused("blank lines only", b"\r\n\r\n", "is empty"),
    refused("byte order mark of UTF-8 only", b"\xef\xbb\xbf", "is empty"),
    refused("byte order mark of UTF-16 only", b"\xff\xfe", "is empty"),
    names("header only", b""),
    refused("no header", b"1,a\n2,b\n", "unknown column '1'"),
    _text("UTF-8", _TEXT.encode()),
    _text("byte order mark of UTF-8", _TEXT.encode("utf-8-sig")),
    _text("byte order mark of UTF-16 LE", b"\xff\xfe" + _TEXT.encode("utf-16-le")),
    _text("byte order mark of UTF-16 BE", b"\xfe\xff" + _TEXT.encode("utf-16-be")),
    _text("byte order mark beside another declared encoding", _TEXT.encode("utf-16"), _CP1252),
    refused("UTF-16 with an odd byte at its end", _TEXT.encode("utf-16")[:-1], "line 3"),
    refused("UTF-32", _TEXT.encode("utf-32"), "UTF-32"),
    File(name="cp1252, declared", content=HEADER + b"1,Jos\xe9 \x80\n", dialect=_CP1252, rows=[(1, "José €")]),
    _text("cp1250, declared", _TEXT.encode("cp1250"), 'encoding = "cp1250"'),
    _text("ISO 8859-2, declared", _TEXT.encode("iso-8859-2"), 'encoding = "iso-8859-2"'),
    refused("byte that the declared cp1252 lacks", HEADER + b"1,a\n2,\x81\n", r"line 3 has .*81", dialect=_CP1252),
    _not_text("cp1252, undeclared", b"Jos\xe9"),
    _not_text("cp1250, undeclared", b"Za\xbf\xf3\xb3\xe6"),
    _not_text("UTF-8 and cp1252 in one field", b"caf\xc3\xa9 caf\xe9"),
    names(
        "UTF-8, cp1250 and cp1252 in three records",
        b"1,\xc5\xbc\n2,\xbf\n3,\xe9\n",
        (1, "ż"),
        bad=[Bad(3, 2, b"2,\xbf", NOT_TEXT), Bad(4, 3, b"3,\xe9", NOT_TEXT)],
    ),
    _not_text("lone continuation byte", b"\x80"),
    _not_text("overlong slash in two bytes", b"\xc0\xaf"),
    _not_text("overlong slash in three bytes", b"\xe0\x80\xaf"),
    _not_text("overlong NUL", b"\xc0\x80"),
    _not_text("half of a surrogate pair", b"\xed\xa0\x80"),
    _not_text("surrogate pair, as in CESU-8", b"\xed\xa0\xbd\xed\xb8\x80"),
    _not_text("beyond U+10FFFF", b"\xf4\x90\x80\x80"),
    _not_text("cut emoji", b"\xf0\x9f\x98"),
    _not_text("NUL", b"nul\0"),
    names(
        "bad byte in a quoted field of several lines",
        b'1,"a\nb"\n2,"c\n\xff"\n3,d\n',
        (1, "a\nb"),
        (3, "d"),
        bad=[Bad(4, 2, b'2,"c\n\xff"', NOT_TEXT)],
    ),
    names("control characters", b"1,\x01\x1a\x7f\n", (1, "\x01\x1a\x7f")),
    names("noncharacter and private use", b"1,\xef\xbf\xbf\xee\x80\x80\n", (1, "\uffff\ue000")),
]

"""Line ends, quotes, delimiters, numbers of fields, and headers."""

from tests.acceptance.data_pipeline.catalogue.files import File, names, refused
from tests.acceptance.data_pipeline.file_loads import MALFORMED, Bad, States

_BAD_ID: States = {"id": "22P02"}


def _malformed(name: str, body: bytes, good: list[int], *bad: tuple[int, int, bytes]) -> File:
    """Return a file with malformed records. `bad` has the line, the number and the bytes of each."""
    return names(name, body, *[(number,) for number in good], bad=[Bad(*one, MALFORMED) for one in bad], select="id")


def _line_ends(name: str, end: bytes, last: bytes) -> File:
    body = end.join([b"id,name", b"1,a", b'2,"b,c"', b"x,d", b"", b"4,e"]) + last
    return File(name=name, content=body, rows=[(1, "a"), (2, "b,c"), (4, "e")], bad=[Bad(4, 3, b"x,d", _BAD_ID)])


def _delimiter(name: str, byte: bytes, written: str) -> File:
    lines = [b"id" + byte + b"name", b"1" + byte + b'"a' + byte + b'b"', b"x" + byte + b"c"]
    return File(
        name=name,
        content=b"\n".join(lines),
        dialect=f'delimiter = "{written}"',
        rows=[(1, "a" + byte.decode() + "b")],
        bad=[Bad(3, 2, lines[2], _BAD_ID)],
    )


def _header(name: str, header: bytes, record: bytes = b"1,a", row: tuple[int, str | None] = (1, "a")) -> File:
    return File(name=name, content=header + b"\n" + record + b"\n", rows=[row])


LINES = [
    _line_ends("CR only", b"\r", b"\r"),
    _line_ends("CR only, none at the end", b"\r", b""),
    _line_ends("CRLF", b"\r\n", b"\r\n"),
    _line_ends("CRLF, none at the end", b"\r\n", b""),
    names("no newline at the end", b"1,a\n2,b", (1, "a"), (2, "b")),
    names("LF, then CRLF", b"1,a\n2,b\r\n3,c\n", (1, "a"), (2, "b"), (3, "c")),
    names("CRLF, then LF", b"1,a\r\n2,b\n3,c\r\n", (1, "a"), (2, "b"), (3, "c")),
    _malformed("CR between LF", b"1,a\r2,b\n3,c\n", [3], (2, 1, b"1,a\r2,b")),
    _malformed("CR between LF in the last record", b"1,a\n2,b\r3,c", [1], (3, 2, b"2,b\r3,c")),
    _malformed("CR after the LF of the header only", b"1,a\r2,b", [], (2, 1, b"1,a\r2,b")),
    names("CR at the end of the last record", b"1,a\r", (1, "a")),
    _malformed("CR inside an unquoted field", b"1,a\n2,b\rx\n3,c\n", [1, 3], (3, 2, b"2,b\rx")),
    names("CR and CRLF inside quoted fields", b'1,"a\rb"\n2,"c\r\nd"\n', (1, "a\rb"), (2, "c\r\nd")),
    names("blank lines", b"\n1,a\n\n\n2,b\n\n", (1, "a"), (2, "b")),
    names("blank line in a quoted field", b'1,"a\n\nb"\n2,"c\n"\n', (1, "a\n\nb"), (2, "c\n")),
    names(
        "quoted newline across the border of a chunk",
        b'1,"' + b"a\n" * 700_000 + b'"\n2,b\nx,c\n',
        (1, 1_400_000),
        (2, 1),
        bad=[Bad(700_004, 3, b"x,c", _BAD_ID)],
        select="id, length(name)",
        environment={"INGEST_STREAMING_CHUNK_SIZE_MB": "1"},
    ),
    File(
        name="blank lines in a file of one column",
        content=b"value\n1\n\nx\n3\n",
        columns="value integer",
        rows=[(1,), (3,), (None,)],
        bad=[Bad(4, 3, b"x", {"value": "22P02"})],
    ),
]
QUOTES = [
    _malformed("unclosed quote in the last line", b'1,a\n2,"b\n', [1], (3, 2, b'2,"b')),
    _malformed("unclosed quote in the last line, no newline", b'1,a\n2,"b', [1], (3, 2, b'2,"b')),
    _malformed("unclosed quote in the middle", b'1,a\n2,"b\n3,c\n4,d\n', [1, 3, 4], (3, 2, b'2,"b')),
    _malformed("unclosed quote before others", b'2,"b\n3,c\n4,"d"\n5,"e\nf"\n', [3, 4, 5], (2, 1, b'2,"b')),
    _malformed("quote inside an unquoted field", b'1,5" pipe\n2,b\n3,"c"\n', [2, 3], (2, 1, b'1,5" pipe')),
    _malformed("two quotes inside an unquoted field", b'1,5" by 7"\n2,b\n', [2], (2, 1, b'1,5" by 7"')),
    _malformed("text after a quote", b'1,"a" b\n2,b\n', [2], (2, 1, b'1,"a" b')),
    _malformed("space before a quote", b'1, "a"\n2,b\n', [2], (2, 1, b'1, "a"')),
    _malformed("doubled quote at the end", b'1,"a""\n2,b\n', [2], (2, 1, b'1,"a""')),
    _malformed("lines of a malformed record", b'1,"a\nb",x\n2,b\n', [2], (2, 1, b'1,"a'), (3, 2, b'b",x')),
    names("doubled quotes", b'1,"said ""hi"""\n2,""""\n', (1, 'said "hi"'), (2, '"')),
    names("quoted empty field", b'1,""\n2,\n', (1, ""), (2, None)),
    names("quoted number and delimiter", b'"1","a,b"\n', (1, "a,b")),
    File(
        name="single quotes, declared",
        content=b"id,name\n1,'it''s, \"so\"'\n",
        dialect='quote = "\'"',
        rows=[(1, 'it\'s, "so"')],
    ),
    _malformed("end of COPY alone on a line", b"1,a\n\\.\n2,b\n", [1, 2], (3, 2, b"\\.")),
    names("end of COPY alone on a quoted line", b'1,"\\."\n2,"x\n\\.\ny"\n', (1, "\\."), (2, "x\n\\.\ny")),
    names("end of COPY and NULL of COPY in fields", b"1,\\.\n2,\\N\n", (1, "\\."), (2, "\\N")),
]
FIELDS = [
    _delimiter("semicolons", b";", ";"),
    _delimiter("pipes", b"|", "|"),
    _delimiter("tabs", b"\t", "\\t"),
    refused("undeclared delimiter", b"id;name\n1;a\n", "id;name"),
    _malformed("too few fields", b"1\n2,b\n", [2], (2, 1, b"1")),
    _malformed("too many fields", b"1,a,x\n2,b\n", [2], (2, 1, b"1,a,x")),
    _malformed("empty field too many", b"1,a,\n2,b\n", [2], (2, 1, b"1,a,")),
    _malformed("line of spaces", b"1,a\n  \n2,b\n", [1, 2], (3, 2, b"  ")),
    names("undeclared words for NULL", b"1,#N/A\n2,NULL\n3,null\n", (1, "#N/A"), (2, "NULL"), (3, "null")),
    names("spaces around a text", b"1, padded \n", (1, " padded ")),
    File(
        name="every bad column of a record",
        content=b',2025-02-30,1O.50,long,\n1,2025-02-28,1.5,ok,""\n'.join([b"id,day,amount,name,note\n", b""]),
        columns="id integer NOT NULL, day date, amount numeric(5,2), name varchar(3), note text NOT NULL",
        select="id, note",
        rows=[(1, "")],
        bad=[
            Bad(
                2,
                1,
                b",2025-02-30,1O.50,long,",
                {"id": "23502", "day": "22008", "amount": "22P02", "name": "22001", "note": "23502"},
            )
        ],
    ),
]
HEADERS = [
    refused("duplicate column", b"id,id\n1,1\n", "'id' and 'id' are the same column"),
    refused("duplicate column in another case", b"id,ID\n1,1\n", "'id' and 'ID' are the same column"),
    refused("unknown column", b"id,nmae\n1,a\n", "unknown column 'nmae' .*the nearest is"),
    _header("missing column with NULL", b"id", b"1", (1, None)),
    refused(
        "missing column that the dialect requires",
        b"id\n1\n",
        "name",
        dialect="[columns.name]\nrequired = true\n",
    ),
    refused("missing column without NULL", b"id\n1\n", "name", columns="id integer, name text NOT NULL"),
    _header("reordered columns", b"name,id", b"a,1"),
    _header("columns in another case", b"ID,Name"),
    _header("padded columns", b" id , name "),
    _header("quoted columns", b'"id","name"'),
    refused("column without a name", b"id,\n1,a\n", "column 2 has no name"),
    refused("unclosed quote in the header", b'id,"name\n1,a\n', "a quote"),
    refused("header that is not UTF-8", b"id,n\xffme\n1,a\n", "not UTF-8"),
    refused("NUL in the header", b"id,n\0me\n1,a\n", "NUL"),
]
STRUCTURE = [*LINES, *QUOTES, *FIELDS, *HEADERS]

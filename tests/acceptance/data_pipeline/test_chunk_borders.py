"""A file gives the same rows and rejects wherever its chunks end, and as for the csv module and COPY."""

import csv
import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_pipeline.services import file_reading
from tests.acceptance.data_pipeline.file_loads import Bad, create, load, rejects, rows
from tests.conftest import another_session, sql

pytestmark = pytest.mark.usefixtures("load_tables")
TEXTS = st.text(alphabet='ab",;\n\r é', max_size=5)
ROWS = st.lists(st.tuples(st.integers(0, 99).map(str) | st.just("x"), TEXTS), max_size=4)
# With the line end LF alone, the writer leaves carriage returns without quotes.
WRITTEN = [
    {"lineterminator": "\n", "quoting": csv.QUOTE_ALL},
    {"lineterminator": "\r\n", "quoting": csv.QUOTE_ALL},
    {"lineterminator": "\r\n", "quoting": csv.QUOTE_MINIMAL},
]
FIELDS = st.sampled_from(["1", "2", "x", "", "é", "\\N", "'", '""', '""""', '"a,b"', '"a\nb"', '"a\r\nb"'])
GOOD_LINES = st.tuples(st.sampled_from(["1", "2", '"3"', "", '"4"']), FIELDS).map(",".join)
# A load skips blank lines, which COPY refuses.
ANY_LINES = st.lists(FIELDS, min_size=1, max_size=3).map(",".join).filter(bool)
LINES = st.lists(GOOD_LINES, max_size=5) | st.lists(GOOD_LINES | ANY_LINES, max_size=5)
RELAXED = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    create("id integer, name text")


def outcome(folder: Path, data: bytes, monkeypatch: pytest.MonkeyPatch, size: int) -> tuple[list[Any], list[Bad]]:
    """Load bytes in chunks of a size. Return the rows and the rejects."""
    sql("TRUNCATE landing.orders")
    with monkeypatch.context() as patch:
        patch.setattr(file_reading, "_MEGABYTE", size)
        patch.setenv("INGEST_STREAMING_CHUNK_SIZE_MB", "1")
        loaded = load(folder, data)
    return rows("id", "name"), rejects(loaded)


@pytest.mark.slow
@RELAXED
@given(records=ROWS, written=st.sampled_from(WRITTEN))
def test_well_formed_file_is_read_as_by_the_csv_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, records: list[tuple[str, str]], written: dict[str, Any]
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, **written).writerows([("id", "name"), *records])
    read = list(csv.reader(io.StringIO(out.getvalue(), newline="")))[1:]
    unquoted_is_null = written["quoting"] == csv.QUOTE_MINIMAL
    expected = [
        (int(number), None if unquoted_is_null and not name else name) for number, name in read if number != "x"
    ]
    found, bad = outcome(tmp_path, out.getvalue().encode(), monkeypatch, 7)
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert len(bad) == len(read) - len(expected)


@RELAXED
@given(body=st.text(alphabet='1x",\n\r\\.é', max_size=24), size=st.integers(1, 12))
def test_any_bytes_have_one_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, size: int) -> None:
    data = b"id,name\n" + body.encode()
    assert outcome(tmp_path, data, monkeypatch, size) == outcome(tmp_path, data, monkeypatch, 1_000_000)


def copied(data: bytes) -> list[Any] | None:
    """Return the rows that COPY alone reads from a file, or None if it refuses it."""
    sql("TRUNCATE landing.orders")
    with another_session() as session, suppress(psycopg.Error):
        with session.cursor() as cursor, cursor.copy("COPY landing.orders FROM STDIN (FORMAT csv, HEADER)") as copy:
            copy.write(data)
        return rows("id", "name")
    return None


@RELAXED
@given(lines=LINES, end=st.sampled_from(["\n", "\r\n"]), size=st.integers(1, 12))
def test_file_has_rejects_only_if_copy_refuses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], end: str, size: int
) -> None:
    data = end.join(["id,name", *lines]).encode()
    expected = copied(data)
    found, bad = outcome(tmp_path, data, monkeypatch, size)
    if expected is None:
        assert bad
    else:
        assert (found, bad) == (expected, [])


@pytest.mark.slow
def test_every_border_of_a_file_with_many_faults_has_one_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b'id,name\r\n1,"a\r\nb"\r\nx,c\n2,"d""e\n\n\r\n3,5" pipe\n4,"f,\ng"\n5\n"6","h\xff"\n7,"i\n8,"j"\n9,k'
    expected = outcome(tmp_path, data, monkeypatch, 1_000_000)
    assert [number for number, _ in expected[0]] == [1, 4, 8, 9]
    for size in range(1, len(data) + 1):
        assert outcome(tmp_path, data, monkeypatch, size) == expected

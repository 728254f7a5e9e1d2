"""Records of many columns, long records, and lines that are too long."""

from pathlib import Path

import pytest

from tests.acceptance.data_pipeline.file_loads import Bad, create, load, require, rows
from tests.conftest import sql

pytestmark = [pytest.mark.usefixtures("load_tables"), pytest.mark.slow]
MEGABYTE = 1024 * 1024


@pytest.mark.parametrize("columns", [400, 1600])
def test_record_of_many_columns_is_loaded_and_explained(tmp_path: Path, columns: int) -> None:
    names = [f"column_{number}" for number in range(columns)]
    create(", ".join(f"{name} integer NOT NULL" for name in names))
    good, bad = ["123456"] * columns, ["123456"] * columns
    bad[0], bad[columns // 2], bad[-1] = "x", "", "99999999999"
    lines = [",".join(one).encode() for one in (names, good, bad, good)]
    states = {names[0]: "22P02", names[columns // 2]: "23502", names[-1]: "22003"}
    require(load(tmp_path, b"\n".join(lines)), good=2, bad=[Bad(3, 2, lines[2], states)])  # type: ignore[arg-type]  # no None
    assert sql(f"SELECT DISTINCT {names[0]}, {names[-1]} FROM landing.orders") == [(123456, 123456)]


def test_record_of_20_mb_is_loaded(tmp_path: Path) -> None:
    create("id integer, name text")
    text = b"long, \n" * (20 * MEGABYTE // 7)
    loaded = load(tmp_path, b'id,name\n1,a\n2,"' + text + b'"\nx,b\n4,c\n')
    require(loaded, good=3, bad=[Bad(4 + text.count(b"\n"), 3, b"x,b", {"id": "22P02"})])
    assert sql("SELECT id, length(name), md5(name) = md5(%s) FROM landing.orders WHERE id = 2", text.decode()) == [
        (2, len(text), True)
    ]


def test_bad_record_of_20_mb_is_rejected_with_its_beginning(tmp_path: Path) -> None:
    create("id integer, name text")
    record = b"x," + b"y" * (20 * MEGABYTE)
    loaded = load(tmp_path, b"id,name\n1,a\n" + record + b"\n3,c\n")
    require(loaded, good=2, bad=[Bad(3, 2, record[: 64 * 1024], {"id": "22P02"})])


def test_line_over_32_mb_is_rejected_alone(tmp_path: Path) -> None:
    create("name text")
    line = b"y" * (40 * MEGABYTE)
    loaded = load(tmp_path, b"name\na\n" + line + b"\nb\n")
    require(loaded, good=2, bad=[Bad(3, 2, line[: 64 * 1024], {None: "54000"})])
    assert rows("name") == [("a",), ("b",)]


def test_unclosed_quote_before_40_mb_costs_one_record(tmp_path: Path) -> None:
    create("id integer, name text")
    count = 4 * MEGABYTE
    loaded = load(tmp_path, b'id,name\n1,"a\n' + b"2,bbbbbbb\n" * count + b"x,c")
    require(
        loaded,
        good=count,
        bad=[Bad(2, 1, b'1,"a', {None: "22P04"}), Bad(count + 3, count + 2, b"x,c", {"id": "22P02"})],
    )

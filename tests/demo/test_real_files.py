"""All files of the package with the demo's records are loaded exactly: with BOMs, CRLF, quoted newlines and padding."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from data_pipeline.errors import HeaderRefused
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded
from demo.files import NYPD
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")
FILES = {path.stem: path for path in sorted(NYPD.path.parent.glob("*.csv"))}
UNNAMED_COLUMNS = {"2018_DOJ_arrests_by_Race", "2019_DOJ_crimes_by_Race", "recorded-crime"}


def read_csv(name: str) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return header and rows as Python's csv module reads them."""
    with FILES[name].open(encoding="utf-8-sig", newline="") as text:
        header, *rows = csv.reader(text)
    return header, [tuple(row) for row in rows]


def load_as_text(name: str, header: list[str], folder: Path) -> Loaded:
    """Load a file into a table of texts c1, c2, …, whose dialect has the header's names as aliases."""
    columns = {f"c{number}": title for number, title in enumerate(header, start=1)}
    sql(f"CREATE TABLE landing.records ({', '.join(f'{column} text' for column in columns)})")
    aliases = [f"{column} = {{ aliases = [{json.dumps(title)}] }}" for column, title in columns.items() if title]
    (folder / "records.toml").write_text("\n".join(['target = "landing.records"', "[columns]", *aliases]))
    return load_file(str(FILES[name]), dialect=str(folder / "records.toml"))


def test_package_has_23_files() -> None:
    assert len(FILES) == 23


@pytest.mark.parametrize("name", sorted(FILES.keys() - UNNAMED_COLUMNS))
def test_real_file_is_loaded_as_python_reads_it(name: str, tmp_path: Path) -> None:
    header, rows = read_csv(name)
    loaded = load_as_text(name, header, tmp_path)
    assert (loaded.counts.rows_inserted, loaded.counts.rows_rejected) == (len(rows), 0)
    stored = sql("SELECT * FROM landing.records")
    assert Counter(tuple(cell or "" for cell in row) for row in stored) == Counter(rows)  # a NULL is an empty cell


@pytest.mark.parametrize("name", sorted(UNNAMED_COLUMNS))
def test_real_file_with_an_unnamed_column_is_refused(name: str, tmp_path: Path) -> None:
    header, _ = read_csv(name)
    with pytest.raises(HeaderRefused, match=rf"column {header.index('') + 1} has no name"):
        load_as_text(name, header, tmp_path)

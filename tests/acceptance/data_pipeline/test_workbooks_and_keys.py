"""Workbooks as files to load, and keys by content."""

from collections.abc import Callable
from pathlib import Path
from shutil import copy

import pytest

from data_pipeline import load_file
from data_pipeline.models import LoadReject
from tests.conftest import sql
from tests.unit.data_pipeline.storage.made_workbooks import cell, inline, made_xlsx, row, texts

pytestmark = pytest.mark.usefixtures("load_tables")


@pytest.fixture(autouse=True)
def people(load_tables: None) -> None:
    sql("CREATE TABLE landing.people (id integer PRIMARY KEY, name text, born date)")


@pytest.fixture
def dialect(tmp_path: Path) -> str:
    (tmp_path / "semicolons.toml").write_text('delimiter = ";"\ntarget = "landing.people"\n', encoding="utf-8")
    return str(tmp_path / "semicolons.toml")


def test_sheet_is_loaded_with_the_row_numbers_of_its_rejects(tmp_path: Path, dialect: str) -> None:
    rows = [
        texts(1, "id", "name", "born"),
        row(2, cell("1"), inline("Ada; Countess"), cell("1", style=1)),
        row(5, cell("2"), inline("Bob"), inline("unknown")),
    ]
    path = made_xlsx(tmp_path / "people.data", "".join(rows), formats=["General", "yyyy-mm-dd"])
    loaded = load_file(str(path), dialect=dialect, max_rejects=1)
    assert (loaded.counts.rows_in, loaded.counts.rows_inserted, loaded.counts.rows_rejected) == (2, 1, 1)
    assert sql("SELECT id, name FROM landing.people") == [(1, "Ada; Countess")]
    reject = LoadReject.objects.get()
    assert (reject.line_no, reject.problems[0]["column"], reject.problems[0]["sqlstate"]) == (5, "born", "22007")


@pytest.mark.parametrize(("key_by", "status"), [("content", "skipped"), ("remote", "success")])
def test_copy_under_another_name_is_skipped_by_content_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key_by: str, status: str
) -> None:
    monkeypatch.setenv("DATA_PIPELINE_KEY_BY", key_by)
    (tmp_path / "a.csv").write_text("id,name\n1,Ada\n", encoding="utf-8")
    load_file(str(tmp_path / "a.csv"), table="landing.people", mode="upsert")
    copy(tmp_path / "a.csv", tmp_path / "b.csv")
    assert load_file(str(tmp_path / "b.csv"), table="landing.people", mode="upsert").status == status
    assert sql("SELECT id, name FROM landing.people") == [(1, "Ada")]


def test_known_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,name\n1,Ada\n", encoding="utf-8")
    load_file(str(path), table="landing.people")

    def refuse(*_: object) -> Callable[..., None]:
        raise AssertionError("the file was opened")

    monkeypatch.setattr("data_pipeline.storage.file_addresses.LocalAddress.open", refuse)
    assert load_file(str(path), table="landing.people").status == "skipped"

"""Files that are replaced, truncated, deleted or growing while they are loaded."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from data_pipeline import conf
from data_pipeline.artefact_errors import ArtefactMissing, SourceChanged
from data_pipeline.domain.load_progress import LoadProgress
from data_pipeline.models import LoadLog
from data_pipeline.postgres import load_transactions
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded
from data_pipeline.storage import addresses
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")
ROWS = 30
TEXT = "id,note\n" + "".join(f"{number},{'x' * 100_000}\n" for number in range(ROWS))  # several chunks


@pytest.fixture
def path(load_tables: None, tmp_path: Path, settings: Settings) -> Path:
    settings.DATA_PIPELINE = {"INGEST_STREAMING_CHUNK_SIZE_MB": 1}
    sql("CREATE TABLE landing.orders (id integer PRIMARY KEY, note text)")
    path = tmp_path / "orders.csv"
    path.write_text(TEXT)
    return path


def load(path: Path, *, meanwhile: Callable[[], object] = lambda: None, **options: Any) -> Loaded:
    """Load a file. `meanwhile` is called once its first chunk is loaded."""

    def on_progress(_: LoadProgress) -> None:
        meanwhile()

    return load_file(str(path), table="landing.orders", on_progress=on_progress, **options)


def ids() -> list[int]:
    return [number for (number,) in sql("SELECT id FROM landing.orders ORDER BY id")]


def replace_file(path: Path, text: str) -> None:
    """Put another file in the place of a file."""
    other = path.with_suffix(".new")
    other.write_text(text)
    os.utime(other, ns=(10**18, 10**18))
    other.replace(path)


def append(path: Path) -> None:
    with path.open("a") as file:
        file.write("99,c\n")


def touch(path: Path) -> None:
    os.utime(path, ns=(10**18, 10**18))


@pytest.mark.parametrize("change", [append, touch, lambda path: os.truncate(path, 8)], ids=["grown", "touched", "cut"])
def test_file_that_changes_while_it_is_read_is_refused(path: Path, change: Callable[[Path], None]) -> None:
    with pytest.raises(SourceChanged):
        load(path, meanwhile=lambda: change(path))
    row = LoadLog.objects.get()
    assert (row.status, row.error_code, ids()) == ("failed", "source_changed", [])
    path.write_text(TEXT)
    assert load(path).counts.rows_inserted == ROWS
    assert ids() == list(range(ROWS))


def delete(path: Path) -> None:
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("change", [delete, lambda path: replace_file(path, "id,note\n9,z\n")])
def test_file_that_is_deleted_or_replaced_is_read_to_its_end(path: Path, change: Callable[[Path], None]) -> None:
    loaded = load(path, meanwhile=lambda: change(path))
    assert (loaded.status, loaded.size_bytes, ids()) == ("success", len(TEXT), list(range(ROWS)))


def test_file_replaced_before_it_is_opened_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise another content is loaded under the key of this one, and again under its own."""
    original = load_transactions.begin_loading

    def replace_and_begin(database: str) -> None:
        replace_file(path, "id,note\n1,z\n2,z\n")
        monkeypatch.setattr(load_transactions, "begin_loading", original)
        original(database)

    monkeypatch.setattr(load_transactions, "begin_loading", replace_and_begin)
    with pytest.raises(SourceChanged):
        load(path)
    assert ids() == []
    load(path)
    assert sql("SELECT note FROM landing.orders") == [("z",), ("z",)]
    assert sorted(LoadLog.objects.values_list("status", flat=True)) == ["failed", "success"]


def test_file_deleted_before_its_key_is_computed_is_missing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve_and_delete(address: str, settings: conf.Settings) -> object:
        resolved = addresses.resolve(address, settings)
        path.unlink()
        return resolved

    monkeypatch.setattr("data_pipeline.services.file_loader.resolve", resolve_and_delete)
    with pytest.raises(ArtefactMissing):
        load(path)
    assert not LoadLog.objects.exists()


def test_file_replaced_before_its_rejects_are_read_is_refused(path: Path) -> None:
    path.write_text("id,note\n1,a\n1,b\n")

    with pytest.raises(SourceChanged):
        load(path, mode="upsert", max_rejects=1, meanwhile=lambda: replace_file(path, "id,note\n8,x\n9,y\n"))
    assert LoadLog.objects.get().status == "failed"
    assert ids() == []

"""The settings `INGEST_STREAMING_*`, under the names that they have without a prefix."""

from itertools import pairwise
from pathlib import Path

import pytest

from data_pipeline.domain.load_progress import LoadProgress
from data_pipeline.services.load_file import load_file
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")
MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def texts(load_tables: None) -> None:
    sql("CREATE TABLE landing.texts (t text)")


def load(path: Path, size: int) -> list[LoadProgress]:
    """Load a file of this size. Return its progress after each chunk."""
    line = b"x" * 99 + b"\n"
    content = b"t\n" + line * ((size - 2) // 100 - 1)
    path.write_bytes(content + b"y" * (size - len(content) - 1) + b"\n")
    assert path.stat().st_size == size
    steps = list[LoadProgress]()
    load_file(str(path), table="landing.texts", on_progress=steps.append)
    return steps


@pytest.mark.parametrize(
    ("size", "enabled", "expected"),
    [(MEGABYTE, "1", "false"), (MEGABYTE + 1, "1", "true"), (MEGABYTE + 1, "0", "false")],
)
def test_file_is_streamed_if_its_size_exceeds_the_threshold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, enabled: str, expected: str
) -> None:
    monkeypatch.setenv("INGEST_STREAMING_THRESHOLD_MB", "1")
    monkeypatch.setenv("INGEST_STREAMING_ENABLED", enabled)
    load(tmp_path / "texts.csv", size)
    assert sql("SELECT payload_meta ->> 'streaming' FROM load_log") == [(expected,)]


def test_chunks_have_the_given_number_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_STREAMING_CHUNK_SIZE", "1000")
    monkeypatch.setenv("INGEST_STREAMING_CHUNK_SIZE_MB", "1")
    steps = load(tmp_path / "texts.csv", MEGABYTE)
    assert len(steps) == 11
    sizes = [later.records - sooner.records for sooner, later in pairwise(steps)]
    assert all(950 <= size <= 1050 for size in sizes[:-1])


def test_chunks_have_the_given_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_STREAMING_CHUNK_SIZE_MB", "1")
    assert len(load(tmp_path / "texts.csv", 2 * MEGABYTE)) == 3

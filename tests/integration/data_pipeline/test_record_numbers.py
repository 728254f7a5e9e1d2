"""Record numbers of rejects that only the merge finds, behind chunks that PostgreSQL refused."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from data_pipeline.models import LoadReject
from data_pipeline.services.load_file import load_file
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")


@pytest.mark.parametrize("refused_record", ["2,,", "2,x", '2"1'])  # as long as the others: two are a chunk
def test_reject_of_a_merge_has_its_number_behind_a_refused_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused_record: str
) -> None:
    monkeypatch.setenv("INGEST_STREAMING_CHUNK_SIZE", "2")
    sql("CREATE TABLE landing.t (id integer PRIMARY KEY, n integer)")
    path = tmp_path / "t.csv"
    path.write_text(f"id,n\n1,1\n{refused_record}\n1,3\n4,4\n1,5\n6,6\n")
    load_file(str(path), table="landing.t", mode="upsert", max_rejects=10)
    assert [bytes(one.raw).decode() for one in LoadReject.objects.order_by("record_no")] == [
        refused_record,
        "1,3",
        "1,5",
    ]
    assert list(LoadReject.objects.order_by("record_no").values_list("record_no", flat=True)) == [2, 3, 5]


def test_reject_of_a_merge_has_its_number_behind_a_repeated_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A date near today makes the first COPY of a chunk fail."""
    monkeypatch.setenv("INGEST_STREAMING_CHUNK_SIZE", "2")
    sql("CREATE TABLE landing.t (id integer PRIMARY KEY, d date)")
    path, today = tmp_path / "t.csv", datetime.now(UTC).date()
    path.write_text(f"id,d\n1,2020-01-01\n2,{today}\n1,2020-01-03\n4,2020-01-04\n")
    load_file(str(path), table="landing.t", mode="upsert", max_rejects=10)
    assert [(one.record_no, bytes(one.raw)) for one in LoadReject.objects.all()] == [(3, b"1,2020-01-03")]

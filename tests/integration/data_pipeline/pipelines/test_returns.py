"""Reports of returns are loaded into `returns_raw` by their dialect, from files, workbooks, buckets and the queue."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from data_pipeline import load_csv, load_file, tasks
from data_pipeline.errors import TooManyRejects
from data_pipeline.models import LoadLog, LoadReject, LoadRequest
from data_pipeline.pipelines.models import ReturnedItem
from tests.buckets import Bucket
from tests.conftest import CompletedCommand, sql
from tests.unit.data_pipeline.storage.made_workbooks import made_xlsx, texts

pytestmark = pytest.mark.usefixtures("pipeline_tables")
HEADER = ["License-plate-number", "order-id", "Return Date", "SKU", "qty", "refund", "detailed-disposition"]
PERSONAL = ["customer-comments", "Buyer"]
REPORT = [
    [*HEADER, *PERSONAL],
    ["LPN1", " 171-1 ", "2026-11-01", "sku-1", "1", "€ 1,019.90", "DEFECTIVE", "it broke", "Anna Example"],
    ["LPN2", "171-2", "2026-11-02", "SKU-1", "2", "N/A", "", "", ""],
]
BAD = [
    ["LPN3", "171-3", "2026-02-30", "SKU-2", "1", "1", "", "", ""],
    ["LPN4", "171-4", "2026-11-03", "SKU-2", "one", "1.5.0", "", "", "Bert"],
]


@pytest.fixture(autouse=True)
def hash_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_PIPELINE_PII_HASH_KEY", "0123456789abcdef0123456789abcdef")


def as_csv(rows: list[list[str]]) -> str:
    return "".join(",".join(f'"{value}"' if "," in value else value for value in one) + "\n" for one in rows)


def returns() -> list[Mapping[str, object]]:
    columns = ("return_id", "order_id", "returned_on", "sku", "quantity", "refund_amount", "reason", "vendor")
    return list(ReturnedItem.objects.order_by("return_id").values(*columns))


def require_report() -> None:
    first, second = returns()
    assert {**first, "refund_amount": str(first["refund_amount"])} == {
        "return_id": "LPN1",
        "order_id": "171-1",
        "returned_on": date(2026, 11, 1),
        "sku": "SKU-1",
        "quantity": 1,
        "refund_amount": "1019.90",
        "reason": "DEFECTIVE",
        "vendor": None,
    }
    assert (second["quantity"], second["refund_amount"], second["reason"]) == (2, None, None)
    personal = ReturnedItem.objects.order_by("return_id").values_list("customer_name", "customer_comments")
    [(name, comments), empty] = personal
    assert (len(name or ""), comments, empty) == (64, None, (None, None))
    assert "Anna" not in str(name)


def test_report_is_recognised_by_its_header_and_loaded_once(tmp_path: Path) -> None:
    path = tmp_path / "returns.csv"
    path.write_text(as_csv(REPORT))
    for _ in range(2):
        assert load_csv.main(["--source", str(path), "--table", "auto"]) == 0
    require_report()
    load = LoadLog.objects.get()
    meta = load.payload_meta
    assert (load.source, load.status, load.target) == ("ingest.import_file", "skipped", "public.returns_raw")
    assert {name: meta[name] for name in ("target_table", "dialect", "rows", "streaming", "force")} == {
        "target_table": "public.returns_raw",
        "dialect": "returns_report",
        "rows": 2,
        "streaming": False,
        "force": False,
    }
    assert meta["source_uri"] == path.as_uri()
    assert meta["file_sha256"] == sha256(path.read_bytes()).hexdigest()


def test_workbook_and_object_have_the_same_rows(tmp_path: Path, bucket: Bucket, s3_settings: dict[str, str]) -> None:
    book = made_xlsx(tmp_path / "returns.xlsx", "".join(texts(at, *one) for at, one in enumerate(REPORT, start=1)))
    load_file(str(book), dialect="returns_report")
    require_report()
    sql("TRUNCATE returns_raw")
    load_file(bucket.put("2026/returns.csv", as_csv(REPORT).encode()), dialect="returns_report")
    require_report()


def test_bad_rows_are_kept_without_personal_values(tmp_path: Path) -> None:
    path = tmp_path / "returns.csv"
    path.write_text(as_csv([*REPORT, *BAD]))
    with pytest.raises(TooManyRejects, match="in line 4: no_such_date"):
        load_file(str(path), dialect="returns_report")
    assert returns() == []
    loaded = load_file(str(path), dialect="returns_report", max_rejects=2)
    assert (loaded.counts.rows_inserted, loaded.counts.rows_rejected) == (2, 2)
    kept = {one.line_no: one for one in LoadReject.objects.all()}
    assert {line: {problem["column"] for problem in one.problems} for line, one in kept.items()} == {
        4: {"returned_on"},
        5: {"quantity", "refund_amount"},
    }
    assert b"Bert" not in bytes(kept[5].raw)


def test_queued_report_is_loaded_by_the_task(
    tmp_path: Path, empty_queue: None, manage: Callable[..., CompletedCommand]
) -> None:
    path = tmp_path / "returns.csv"
    path.write_text(as_csv(REPORT))
    queued = manage("load_file", str(path), "--dialect", "returns_report", "--queue", "--json")
    [request] = json.loads(queued.out)["requests"]
    assert returns() == []
    assert tasks.import_file(request["requestId"])["rows_in"] == 2
    require_report()
    assert LoadRequest.objects.get().load_id == LoadLog.objects.get().pk

"""`handle.load`: Python records are loaded as the records of a file are."""

import json
import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from textwrap import indent
from typing import Any

import pytest

import data_pipeline
from data_pipeline import compute_idempotency_key, process_once
from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.row_models import NON_NEGATIVE, RowModel
from data_pipeline.errors import (
    BadRecord,
    HeaderRefused,
    KeyMissing,
    KeysUnreadable,
    NothingToReplaceWith,
    TooManyRejects,
)
from data_pipeline.models import LoadLog, LoadReject
from tests.architecture.markdown import code_blocks, page_text
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")


@pytest.fixture(autouse=True)
def fees(load_tables: None) -> None:
    sql(
        "CREATE TABLE landing.fees (asin text PRIMARY KEY, fee numeric(9,2), valid_from date, facts jsonb, tags text[],"
        " picture bytea)"
    )


def load(rows: Iterable[Any], *, name: str = "one", **options: Any) -> LoadCounts:
    key = compute_idempotency_key(payload=name.encode())
    with process_once(source="fees", payload_meta={}, idempotency_key=key) as handle:
        assert handle is not None
        counts: LoadCounts = handle.load(rows, into="landing.fees", **options)
    return counts


def fees_of(columns: str = "asin, fee::text") -> list[tuple[object, ...]]:
    return sql(f"SELECT {columns} FROM landing.fees ORDER BY asin")


def rejects() -> dict[int, Any]:
    return {one.record_no: json.loads(bytes(one.raw)) for one in LoadReject.objects.order_by("record_no")}


def test_records_are_loaded_with_all_types() -> None:
    counts = load(
        [
            {"asin": "A", "fee": Decimal("1.50"), "valid_from": date(2025, 1, 31), "facts": {"a": [1, None]}},
            {"asin": "", "tags": ['x"y', "\\.", None], "picture": b"\x00\xff", "facts": None}
            | {"fee": None, "valid_from": None},
        ],
        columns=["asin", "fee", "valid_from", "facts", "tags", "picture"],
    )
    assert fees_of("asin, fee::text, valid_from::text, facts::text, tags, encode(picture, 'hex')") == [
        ("", None, None, None, ['x"y', "\\.", None], "00ff"),
        ("A", "1.50", "2025-01-31", '{"a": [1, null]}', None, None),
    ]
    assert (counts.rows_in, counts.rows_inserted) == (2, 2)
    load_row = LoadLog.objects.get()
    assert (load_row.rows_inserted, load_row.target, load_row.status) == (2, "landing.fees", "success")
    assert sql("SELECT relations::text FROM load_refresh") == [('[["landing", "fees"]]',)]


def test_key_makes_it_an_upsert() -> None:
    load([{"asin": "A", "fee": 1}, {"asin": "B", "fee": 2}], key=("asin",))
    counts = load([{"asin": "A", "fee": 1}, {"asin": "B", "fee": 3}, {"asin": "C"}], name="two", key=("asin",))
    assert (counts.rows_unchanged, counts.rows_updated, counts.rows_inserted) == (1, 1, 1)
    assert fees_of() == [("A", "1.00"), ("B", "3.00"), ("C", None)]


def test_snapshot_deletes_what_the_records_lack() -> None:
    load([("A", 1), ("B", 2)], columns=("asin", "fee"))
    counts = load([("B", 2)], name="two", columns=("asin", "fee"), mode="snapshot")
    assert (counts.rows_deleted, counts.rows_unchanged) == (1, 1)


@pytest.mark.parametrize("key", [(), ("asin",)])
def test_rejects_are_kept_as_json_with_record_numbers(key: tuple[str, ...]) -> None:
    rows = [
        {"asin": "A\nA", "fee": 1},
        {"asin": "B", "fee": "many"},
        {"asin": None, "fee": 2},
        {"asin": "D", "fee": 3},
        {"asin": "D", "fee": 4},
        {"asin": "nul\0", "fee": 5},
        {"asin": "\ud800", "fee": 6},
    ]
    counts = load(rows, key=key, max_rejects=9)
    assert fees_of() == [("A\nA", "1.00"), ("D", "3.00")]
    assert (counts.rows_in, counts.rows_inserted, counts.rows_rejected) == (7, 2, 5)
    kept = {one.record_no: one for one in LoadReject.objects.all()}
    assert {number: one.problems[0]["sqlstate"] for number, one in kept.items()} == {
        2: "22P02",
        3: "23502",
        5: "23505",
        6: "22021",
        7: "22021",
    }
    assert all(one.line_no == one.record_no for one in kept.values())
    assert (json.loads(bytes(kept[2].raw)), kept[2].problems[0]["value"]) == ({"asin": "B", "fee": "many"}, "many")
    assert json.loads(bytes(kept[5].raw)) == {"asin": "D", "fee": 4}


def test_record_of_another_length_is_a_reject() -> None:
    load([("A", 1), ("B",), ("C", 3, 4)], columns=("asin", "fee"), max_rejects=2)
    assert (fees_of(), rejects()) == ([("A", "1.00")], {2: ["B"], 3: ["C", 3, 4]})


def test_too_many_rejects_leave_only_the_rejects() -> None:
    with pytest.raises(TooManyRejects, match="is record 2: invalid input syntax"):
        load([{"asin": "A", "fee": 1}, {"asin": "B", "fee": "many"}])
    assert (fees_of(), rejects()) == ([], {2: {"asin": "B", "fee": "many"}})
    assert (LoadLog.objects.get().status, LoadLog.objects.get().rows_rejected) == ("failed", 1)


def test_several_calls_share_a_load_and_its_record_numbers() -> None:
    sql("CREATE TABLE landing.names (name varchar(3))")
    with process_once(source="s", payload_meta={}, idempotency_key=compute_idempotency_key(payload=b"x")) as handle:
        assert handle is not None
        for number in range(2):
            rows = [{"asin": f"A{number}", "fee": 1}, {"asin": f"B{number}", "fee": "x"}]
            handle.load(rows, into="landing.fees", key=("asin",), max_rejects=1)
        handle.load([{"name": "long name"}, {"name": "ok"}], into="landing.names", max_rejects=1)
    assert rejects() == {2: {"asin": "B0", "fee": "x"}, 4: {"asin": "B1", "fee": "x"}, 5: {"name": "long name"}}
    row = LoadLog.objects.get()
    assert (row.rows_in, row.rows_inserted, row.rows_rejected) == (6, 3, 3)
    assert sql("SELECT relations::text FROM load_refresh") == [('[["landing", "fees"], ["landing", "names"]]',)]


def test_error_of_the_iterable_rolls_everything_back() -> None:
    def rows() -> Iterator[dict[str, object]]:
        yield {"asin": "A", "fee": 1}
        raise OSError("the service is gone")

    with pytest.raises(OSError, match="gone"):
        load(rows())
    assert (fees_of(), LoadLog.objects.get().status) == ([], "failed")


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"asin": "A"}, {"color": "red"}], "Record 2 cannot be loaded into landing.fees: it has 'color'"),
        ([{"asin": "A"}, {"asin": object()}], "Record 2 .* type object has no text"),
        (["text"], "Record 1 .* pass them as `columns`"),
    ],
)
def test_bad_record_is_named(rows: list[Any], problem: str) -> None:
    with pytest.raises(BadRecord, match=problem):
        load(rows)


def test_unknown_column_or_missing_key_is_refused() -> None:
    with pytest.raises(HeaderRefused, match="unknown column 'color'"):
        load([{"asin": "A", "color": "red"}])
    sql("ALTER TABLE landing.fees DROP CONSTRAINT fees_pkey")
    with pytest.raises(KeyMissing):
        load([{"asin": "A"}], mode="upsert")


def test_no_record_changes_nothing() -> None:
    assert load([]).rows_in == 0
    load([{"asin": "A"}], name="two")
    with pytest.raises(NothingToReplaceWith, match="all of its rows would be deleted"):
        load([], name="three", mode="replace")
    assert fees_of() == [("A", None)]


def test_memory_does_not_grow_with_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_STREAMING_CHUNK_SIZE_MB", "1")
    text = "x" * 1000

    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            load(
                ((f"{count}-{n}", text) for n in range(count)), name=str(count), columns=("asin", "tags"), max_rejects=0
            )
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return peak

    sql("ALTER TABLE landing.fees ALTER tags TYPE text")
    assert peak(20_000) < peak(5_000) + 4_000_000


def test_block_of_the_page_runs_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    sql("SET search_path = landing, public")
    block = next(one for one in code_blocks(page_text("how-to/add-a-connector.md"), "python") if "handle.load(" in one)
    scope: dict[str, Any] = {name: getattr(data_pipeline, name) for name in data_pipeline.__all__}
    exec(f"def refresh(meta, key, rows):\n{indent(block, '    ')}", scope)  # noqa: S102  # our own page
    key = compute_idempotency_key(payload=b"A,B")
    for _ in range(2):
        scope["refresh"]({"asin_count": 2}, key, iter([{"asin": "A", "fee": 1}, {"asin": "B", "fee": 2}]))
    sql("RESET search_path")
    assert fees_of() == [("A", "1.00"), ("B", "2.00")]
    assert (LoadLog.objects.get().source, LoadLog.objects.get().status) == ("fees_h10", "skipped")


@dataclass(frozen=True, kw_only=True, slots=True)
class FeeRow(RowModel):
    asin: str
    fee: Decimal = field(metadata=NON_NEGATIVE)


@pytest.mark.parametrize("key", [(), ("asin",)])
def test_records_that_a_model_refuses_are_rejects(key: tuple[str, ...]) -> None:
    rows = [{"asin": "A"}, {"asin": "B", "fee": "1.5"}, {"asin": "C", "fee": -1}, {"asin": "B", "fee": 2}]
    options: dict[str, Any] = {"key": key, "columns": FeeRow.columns(), "parse": FeeRow.parse}
    with pytest.raises(TooManyRejects, match="3 of 4 .* The first one is record 1: fee must be given. `manage"):
        load(rows, **options, max_rejects=2)
    counts = load(rows, **options, max_rejects=3)
    assert (counts.rows_in, counts.rows_inserted, counts.rows_rejected, fees_of()) == (4, 1, 3, [("B", "1.50")])
    assert rejects() == {1: rows[0], 3: rows[2], 4: {"asin": "B", "fee": "2"}}
    problems = dict(LoadReject.objects.values_list("record_no", "problems"))
    assert problems[3] == [
        {"column": "fee", "value": "-1", "reason": "fee must be a non-negative Decimal", "sqlstate": "22023"}
    ]


def test_snapshot_of_a_refused_record_changes_nothing() -> None:
    load([("A", 1)], columns=("asin", "fee"))
    with pytest.raises(KeysUnreadable, match="The first one is record 1: asin must be given"):
        load([{"fee": 1}], name="two", columns=("asin", "fee"), parse=FeeRow.parse, mode="snapshot", max_rejects=9)
    assert fees_of() == [("A", "1.00")]

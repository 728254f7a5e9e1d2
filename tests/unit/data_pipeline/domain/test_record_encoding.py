"""Python values as the texts of CSV and JSON, and the names and values of records."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.domain.csv_fields import CsvFormat, parse_fields
from data_pipeline.domain.python_records import shape_of
from data_pipeline.domain.record_encoding import encode_record, encode_value, json_record


class Color(StrEnum):
    RED = "red"


class Size(Enum):
    BIG = 7


class Word(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "another text"


@dataclass
class Fee:
    asin: str
    fee: Decimal | None = None


class Pair(NamedTuple):
    asin: str
    fee: int


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ""),
        (True, "true"),
        (-5, "-5"),
        (0.1, "0.1"),
        (Decimal("1.50"), "1.50"),
        (date(2025, 1, 31), "2025-01-31"),
        (datetime(2025, 1, 31, 1, 2, 3, 4, tzinfo=UTC), "2025-01-31 01:02:03.000004+00:00"),
        (time(1, 2), "01:02:00"),
        (timedelta(days=-1, seconds=5, microseconds=7), "-1 days 5.000007 seconds"),
        (b"\x00\xff", "\\x00ff"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({"a": Decimal("1.5"), "b": [date(2025, 1, 1)]}, '{"a": "1.5", "b": ["2025-01-01"]}'),
        ([1, None], "[1, null]"),
        (Color.RED, "red"),
        (Size.BIG, "7"),
        (Word("text"), "text"),
    ],
)
def test_value_has_the_text_that_postgresql_reads(value: object, expected: str) -> None:
    assert encode_value(value, None) == expected


def test_list_is_an_array_in_a_column_of_arrays() -> None:
    assert encode_value([1, None, 'a"\\', [Color.RED]], "text[]") == '{"1",NULL,"a\\"\\\\",{"red"}}'
    assert encode_value([1], "jsonb") == "[1]"


@pytest.mark.parametrize("value", [object(), {"a": object()}, {1, 2}, 1j])
def test_value_without_a_text_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="has no text in PostgreSQL"):
        encode_value(value, None)


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_texts_and_nulls_are_read_back(values: list[str | None]) -> None:
    record = encode_record(values, [None] * len(values))
    assert record.endswith(b"\n")
    assert parse_fields(record[:-1], CsvFormat()) == values


def test_record_is_kept_as_json_with_its_own_types() -> None:
    raw = json_record(["a", "b", "c"], [1, None, Decimal("1.0")])
    assert json.loads(raw) == {"a": 1, "b": None, "c": "1.0"}
    assert json.loads(json_record(["a"], [1, 2])) == [1, 2]


@pytest.mark.parametrize(
    "record", [{"asin": "A", "fee": 1}, Fee("A", Decimal(1)), Pair("A", 1)], ids=["mapping", "dataclass", "named"]
)
def test_first_record_names_the_columns(record: object) -> None:
    names, values = shape_of(record, None)
    assert (names, list(values(record))) == (["asin", "fee"], ["A", 1])


def test_given_columns_select_and_name_values() -> None:
    names, values = shape_of(None, ["fee", "asin"])
    assert names == ["fee", "asin"]
    assert [list(values(one)) for one in ({"asin": "A", "x": 1, "fee": 2}, Fee("A"), (3, "B"))] == [
        [2, "A"],
        [None, "A"],
        [3, "B"],
    ]


def test_missing_key_is_null_and_surplus_key_is_refused() -> None:
    _, values = shape_of({"a": 1, "b": 2}, None)
    assert values({"b": 3}) == [None, 3]
    with pytest.raises(ValueError, match="it has 'c', but the first record has not"):
        values({"c": 3})


@pytest.mark.parametrize("record", [(1, 2), [1], "text", 5])
def test_record_without_names_needs_columns(record: Any) -> None:
    with pytest.raises(ValueError, match="pass them as `columns`"):
        shape_of(record, None)


@pytest.mark.parametrize("record", ["text", b"bytes", 5, {1}])
def test_record_of_another_type_is_refused(record: Any) -> None:
    _, values = shape_of(None, ["a"])
    with pytest.raises(ValueError, match="it is of the type"):
        values(record)

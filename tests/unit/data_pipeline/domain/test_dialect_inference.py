from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.domain.dialect_inference import InferredColumn, infer_columns
from data_pipeline.domain.dialect_parser import parse_dialect
from data_pipeline.domain.dialect_search import all_dialects
from data_pipeline.domain.dialect_writer import dialect_to_toml
from data_pipeline.domain.dialects import Column, Dialect, Rule
from data_pipeline.errors import HeaderRefused


def infer(*texts: str) -> InferredColumn:
    [column] = infer_columns(["value"], [[text] for text in texts]).columns
    return column


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("true", "FALSE"), "boolean"),
        (("f", "f"), "text"),
        (("0", "1"), "bigint"),
        (("-9", "999999999999999999"), "bigint"),
        (("1", "1000000000000000000"), "text"),
        (("1", "2.50"), "numeric"),
        ((".5", "-0.5"), "numeric"),
        (("0.1234567890123456789",), "text"),
        (("007", "8"), "text"),
        (("00.5",), "text"),
        (("-0",), "numeric"),
        (("+5",), "text"),
        (("1e5",), "text"),
        (("1,5",), "text"),
        (("\u0663",), "text"),
        ((" 5",), "text"),
        (("NaN",), "text"),
        (("2025-12-31", "2024-02-29"), "date"),
        (("2025-12-31", "2025-02-29"), "text"),
        (("today",), "text"),
        (("2025-12-31T10:00:00Z", "2025-12-31 10:00+02:00"), "timestamptz"),
        (("2025-12-31 10:00:00",), "text"),
        (("2025-12-31", "2025-12-31T10:00:00Z"), "text"),
        (("2025-12-31T24:00:00Z",), "text"),
        (("true", "1"), "text"),
        (("", ""), "text"),
        ((), "text"),
    ],
)
def test_narrowest_type_of_all_texts_is_inferred(texts: Sequence[str], expected: str) -> None:
    assert infer(*texts).type == expected


@pytest.mark.parametrize(
    ("texts", "date_format"),
    [
        (("01.02.2025", "31.12.2025"), "%d.%m.%Y"),
        (("01/02/2025", "12/31/2025"), "%m/%d/%Y"),
        (("2025/01/02",), "%Y/%m/%d"),
        (("03-Feb-2025",), "%d-%b-%Y"),
    ],
)
def test_local_dates_are_inferred_if_a_day_proves_the_format(texts: Sequence[str], date_format: str) -> None:
    column = infer(*texts)
    assert (column.type, column.date_format) == ("date", date_format)


def test_ambiguous_local_dates_stay_text() -> None:
    column = infer("01/02/2025", "11/12/2025")
    assert (column.type, column.date_format) == ("text", None)
    assert column.ambiguous_formats == ("%d/%m/%Y", "%m/%d/%Y")


def test_dates_that_prove_both_orders_stay_text() -> None:
    column = infer("31/12/2025", "12/31/2025")
    assert (column.type, column.ambiguous_formats) == ("text", ())


def test_empty_field_makes_a_column_nullable() -> None:
    assert (infer("1", "").type, infer("1", "").is_nullable, infer("1").is_nullable) == ("bigint", True, False)


def test_column_without_any_record_is_nullable_text() -> None:
    assert infer().is_nullable


def test_malformed_records_are_counted_and_ignored() -> None:
    inference = infer_columns(["a", "b"], [["1", "2"], ["x"], ["x", "y", "z"]])
    assert (inference.records, inference.malformed) == (3, 2)
    assert [column.type for column in inference.columns] == ["bigint", "bigint"]


@given(st.lists(st.sampled_from(["1", "2.5", "true", "2025-01-02", "", "x", "31.12.2025"]), max_size=6))
def test_order_of_records_does_not_matter(texts: list[str]) -> None:
    assert infer(*texts) == infer(*reversed(texts))


def test_names_are_proposed_for_headings() -> None:
    columns = infer_columns([" Order ID", "Größe (cm)", "", "x" * 70], []).columns
    assert [column.name for column in columns] == ["order_id", "größe_cm", "column_3", "x" * 63]


def test_headings_with_one_name_are_refused() -> None:
    with pytest.raises(HeaderRefused, match="does not match a new table: several columns would be named 'order_id'"):
        infer_columns(["Order ID", "order-id"], [])


def test_one_record_is_counted_in_the_singular() -> None:
    text = infer_columns(["id"], [["1"]]).to_toml(Dialect(name="orders", target="public.orders"))
    assert "# Inferred from 1 record, 0 of them" in text


def test_inferred_dialect_is_read_back() -> None:
    header = ["Order ID", "day", "price", "local"]
    records = [["1", "31.12.2025", "5.0", "01/02/2025"], ["2", "", "7", "02/03/2025"]]
    text = infer_columns(header, records).to_toml(Dialect(name="orders", delimiter=";", target="public.orders"))
    assert "# Inferred from 2 records, 0 of them malformed and ignored." in text
    assert "# local: local dates that fit %d/%m/%Y and %m/%d/%Y; declare one of them." in text
    assert parse_dialect(text, name="orders") == Dialect(
        name="orders",
        delimiter=";",
        target="public.orders",
        columns=(
            Column(name="order_id", type="bigint", aliases=("Order ID",), required=True),
            Column(name="day", type="date", rule=Rule.DATE, formats=("%d.%m.%Y",)),
            Column(name="price", type="numeric", required=True),
            Column(name="local", type="text", required=True),
        ),
    )


@pytest.mark.parametrize("dialect", all_dialects(), ids=lambda dialect: dialect.name)
def test_shipped_dialect_is_written_and_read_back(dialect: Dialect) -> None:
    assert parse_dialect(dialect_to_toml(dialect), name=dialect.name) == dialect


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=9))
def test_any_text_is_written_and_read_back(text: str) -> None:
    column = Column(name=text, rule=Rule.MAP, values={text: text})
    dialect = Dialect(name="x", null_words=(text,), sheet=text, columns=(column,))
    assert parse_dialect(dialect_to_toml(dialect), name="x") == dialect

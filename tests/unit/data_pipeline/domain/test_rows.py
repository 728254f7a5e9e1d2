from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_type_hints

import pytest

from data_pipeline.domain.rows import PriceRow, PriceRowModel, RateRow, RateRowModel
from data_pipeline.errors import BadRow

RATE = RateRowModel(base_currency="EUR", quote_currency="USD", rate=Decimal("1.05"), valid_on=date(2025, 1, 2))
PRICE = PriceRowModel(vendor="Acme", sku="A-1", price=Decimal(0), currency="EUR", valid_from=date(2025, 1, 2))


@pytest.mark.parametrize(("model", "row"), [(RateRowModel, RateRow), (PriceRowModel, PriceRow)])
def test_model_and_typed_dictionary_have_the_same_fields(model: Any, row: Any) -> None:
    assert {field.name: field.type for field in fields(model)} == get_type_hints(row)


@pytest.mark.parametrize("model", [RATE, PRICE])
def test_row_has_the_values_of_its_model(model: RateRowModel | PriceRowModel) -> None:
    assert type(model)(**model.as_row()) == model


def test_texts_are_parsed() -> None:
    record = {"base_currency": "EUR", "quote_currency": "USD", "rate": "1.05", "valid_on": "2025-01-02"}
    assert RateRowModel.parse(record) == RATE
    assert PriceRowModel.parse(PRICE.as_row()) == PRICE


def test_model_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        RATE.rate = Decimal(2)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate": 1.05}, "RateRowModel.rate is 1.05, but must be a positive Decimal."),
        ({"rate": "1.05"}, "RateRowModel.rate is '1.05', but must be a positive Decimal."),
        ({"rate": Decimal(0)}, "must be a positive Decimal"),
        ({"rate": Decimal("NaN")}, "must be a positive Decimal"),
        ({"rate": Decimal("Infinity")}, "must be a positive Decimal"),
        ({"valid_on": datetime(2025, 1, 2, tzinfo=UTC)}, "must be a date"),
        ({"valid_on": "2025-01-02"}, "must be a date"),
        ({"base_currency": "EURO"}, "RateRowModel.base_currency is 'EURO', but must be an ISO 4217 code."),
        ({"quote_currency": None}, "must be an ISO 4217 code"),
    ],
)
def test_bad_rate_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRow, match=message):
        replace(RATE, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"price": Decimal("-0.01")}, "PriceRowModel.price is Decimal.*, but must be a non-negative Decimal"),
        ({"sku": " "}, "PriceRowModel.sku is ' ', but must be a text that is not empty"),
        ({"vendor": "a\0"}, "must be a text that is not empty"),
        ({"currency": "eur"}, "must be an ISO 4217 code"),
    ],
)
def test_bad_price_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRow, match=message):
        replace(PRICE, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate": "1,05"}, "RateRowModel.rate is '1,05', but must be a number"),
        ({"valid_on": "02.01.2025"}, "RateRowModel.valid_on is '02.01.2025', but must be a date such as 2025-12-31"),
        ({"rat": "1"}, "RateRowModel.rat is '1', but must be absent, because the fields are base_currency, quote"),
    ],
)
def test_record_that_cannot_be_parsed_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BadRow, match=message):
        RateRowModel.parse({**RATE.as_row(), **changes})


def test_record_without_a_field_is_refused() -> None:
    with pytest.raises(BadRow, match="PriceRowModel.currency is None, but must be given"):
        PriceRowModel.parse({name: value for name, value in PRICE.as_row().items() if name != "currency"})

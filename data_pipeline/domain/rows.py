"""Typed rows of rates and prices, for single records of an API.

Models validate at run time, and their types are for mypy. A bulk load is validated by PostgreSQL.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypedDict

from data_pipeline.domain.currencies import CURRENCIES
from data_pipeline.domain.normalizing import NormalizeError, parse_date, parse_decimal
from data_pipeline.errors import BadRow


class RateRow(TypedDict):
    """An exchange rate for mypy, with the fields of `RateRowModel`."""

    base_currency: str
    quote_currency: str
    rate: Decimal
    valid_on: date


class PriceRow(TypedDict):
    """A vendor's price for mypy, with the fields of `PriceRowModel`."""

    vendor: str
    sku: str
    price: Decimal
    currency: str
    valid_from: date


@dataclass(frozen=True, kw_only=True, slots=True)
class RateRowModel:
    """A valid exchange rate: quote units for one base unit."""

    base_currency: str  # ISO 4217
    quote_currency: str  # ISO 4217
    rate: Decimal  # positive
    valid_on: date

    def __post_init__(self) -> None:
        _validate(self)

    @classmethod
    def parse(cls, record: Mapping[str, object]) -> "RateRowModel":
        """Return the row of a record in which numbers and dates may be texts. Raises `BadRow`."""
        return cls(**_parse(cls, record))

    def as_row(self) -> RateRow:
        """Return the row as a dictionary."""
        return RateRow(
            base_currency=self.base_currency,
            quote_currency=self.quote_currency,
            rate=self.rate,
            valid_on=self.valid_on,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceRowModel:
    """A valid price of a vendor."""

    vendor: str
    sku: str
    price: Decimal  # not negative
    currency: str  # ISO 4217
    valid_from: date

    def __post_init__(self) -> None:
        _validate(self)

    @classmethod
    def parse(cls, record: Mapping[str, object]) -> "PriceRowModel":
        """Return the row of a record in which numbers and dates may be texts. Raises `BadRow`."""
        return cls(**_parse(cls, record))

    def as_row(self) -> PriceRow:
        """Return the row as a dictionary."""
        return PriceRow(
            vendor=self.vendor,
            sku=self.sku,
            price=self.price,
            currency=self.currency,
            valid_from=self.valid_from,
        )


_Model = RateRowModel | PriceRowModel
_CURRENCY_FIELDS: Final = {"base_currency", "quote_currency", "currency"}
_PARSERS: Final[Mapping[type, Callable[[str], object]]] = {Decimal: parse_decimal, date: parse_date, str: str}


def _validate(row: _Model) -> None:
    """Refuse values that PostgreSQL would change, such as a float, or refuse."""
    for field in fields(row):
        value = getattr(row, field.name)
        if expected := _problem(field.name, field.type, value):
            raise BadRow(model=type(row).__name__, field=field.name, value=value, expected=expected)


def _problem(name: str, kind: object, value: object) -> str | None:
    """Return what the value must be, or None if it is."""
    if kind is date:
        return None if isinstance(value, date) and not isinstance(value, datetime) else "a date"
    if kind is Decimal:
        is_positive = (
            isinstance(value, Decimal) and value.is_finite() and (value > 0 or (name == "price" and value == 0))
        )
        return None if is_positive else f"a {'non-negative' if name == 'price' else 'positive'} Decimal"
    if name in _CURRENCY_FIELDS:
        return None if isinstance(value, str) and value in CURRENCIES else "an ISO 4217 code"
    is_text = isinstance(value, str) and bool(value.strip()) and "\0" not in value
    return None if is_text else "a text that is not empty"


def _parse(model: type[_Model], record: Mapping[str, object]) -> dict[str, Any]:
    kinds = {field.name: field.type for field in fields(model)}
    for name in sorted(kinds.keys() ^ record.keys()):
        expected = "given" if name in kinds else f"absent, because the fields are {', '.join(kinds)}"
        raise BadRow(model=model.__name__, field=name, value=record.get(name), expected=expected)
    return {name: _parsed(model, name, kind, record[name]) for name, kind in kinds.items()}


def _parsed(model: type[_Model], name: str, kind: Any, value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return _PARSERS[kind](value)
    except NormalizeError as error:
        expected = "a number" if kind is Decimal else "a date such as 2025-12-31"
        raise BadRow(model=model.__name__, field=name, value=value, expected=expected) from error

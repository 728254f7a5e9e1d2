"""Typed rows of rates and prices, for single records of an API.

Models validate at run time, and their types are for mypy. A bulk load is validated by PostgreSQL.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TypedDict

from data_pipeline.domain.row_models import CURRENCY, NON_NEGATIVE, POSITIVE, RowModel


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
class RateRowModel(RowModel):
    """A valid exchange rate: quote units for one base unit."""

    base_currency: str = field(metadata=CURRENCY)
    quote_currency: str = field(metadata=CURRENCY)
    rate: Decimal = field(metadata=POSITIVE)
    valid_on: date

    def as_row(self) -> RateRow:
        """Return the row as a dictionary."""
        return RateRow(
            base_currency=self.base_currency,
            quote_currency=self.quote_currency,
            rate=self.rate,
            valid_on=self.valid_on,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceRowModel(RowModel):
    """A valid price of a vendor."""

    vendor: str
    sku: str
    price: Decimal = field(metadata=NON_NEGATIVE)
    currency: str = field(metadata=CURRENCY)
    valid_from: date

    def as_row(self) -> PriceRow:
        """Return the row as a dictionary."""
        return PriceRow(
            vendor=self.vendor,
            sku=self.sku,
            price=self.price,
            currency=self.currency,
            valid_from=self.valid_from,
        )

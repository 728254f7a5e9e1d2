"""The tables of the pipelines, each defined here only. Loads write them, and PostgreSQL checks every row."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import CheckConstraint, Q


def _amount(**options: Any) -> "models.DecimalField[Decimal, Decimal]":
    return models.DecimalField(max_digits=14, decimal_places=4, **options)


def _not_negative(column: str, *, table: str) -> CheckConstraint:
    return CheckConstraint(condition=Q(**{f"{column}__gte": 0}), name=f"{table}_{column}_not_negative")


def _currency_code(column: str, *, table: str) -> CheckConstraint:
    return CheckConstraint(condition=Q(**{f"{column}__regex": "^[A-Z]{3}$"}), name=f"{table}_{column}_code")


class Vendor(models.Model):
    """A vendor with price lists."""

    code = models.TextField(primary_key=True)
    name = models.TextField(default="", db_default="", blank=True)

    class Meta:
        db_table = "vendors"

    def __str__(self) -> str:
        return self.name or self.code


class VendorPrice(models.Model):
    """A vendor's price of an article from a day on.

    Its fields are those of `PriceRowModel`.
    """

    pk = models.CompositePrimaryKey("vendor", "sku", "valid_from")
    vendor = models.ForeignKey(Vendor, models.PROTECT, db_column="vendor")
    sku = models.TextField()
    price = _amount()
    currency = models.CharField(max_length=3)
    valid_from = models.DateField()

    class Meta:
        db_table = "prices"
        constraints = (_not_negative("price", table="prices"), _currency_code("currency", table="prices"))


class ExchangeRate(models.Model):
    """Quote units for one base unit on a day, as in `RateRowModel`."""

    pk = models.CompositePrimaryKey("base_currency", "quote_currency", "valid_on")
    base_currency = models.CharField(max_length=3)
    quote_currency = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=20, decimal_places=10)
    valid_on = models.DateField()

    class Meta:
        db_table = "rates"
        constraints = (
            CheckConstraint(condition=Q(rate__gt=0), name="rates_rate_positive"),
            _currency_code("base_currency", table="rates"),
            _currency_code("quote_currency", table="rates"),
        )


class Fee(models.Model):
    """A marketplace's fees for an article at its sales price.

    Its fields are those of `FeeRowModel`.
    """

    asin = models.TextField(primary_key=True)
    sales_price = _amount()
    referral_fee = _amount()
    fulfilment_fee = _amount()
    currency = models.CharField(max_length=3)

    class Meta:
        db_table = "fees"
        constraints = (
            _not_negative("sales_price", table="fees"),
            _not_negative("referral_fee", table="fees"),
            _not_negative("fulfilment_fee", table="fees"),
            _currency_code("currency", table="fees"),
        )

    def __str__(self) -> str:
        return self.asin


class FreightRate(models.Model):
    """A price of a lane and service from a day on.

    Its fields are those of `FreightRowModel`.
    """

    pk = models.CompositePrimaryKey("lane", "service", "valid_from")
    lane = models.TextField()
    service = models.TextField()
    price_per_kg = _amount()
    currency = models.CharField(max_length=3)
    valid_from = models.DateField()

    class Meta:
        db_table = "freight_rates"
        constraints = (
            _not_negative("price_per_kg", table="freight_rates"),
            _currency_code("currency", table="freight_rates"),
        )


class ReturnedItem(models.Model):
    """A returned item, as in the dialect `returns_report`. Personal values are never stored as they are."""

    return_id = models.TextField()
    order_id = models.TextField()
    returned_on = models.DateField()
    sku = models.TextField()
    quantity = models.IntegerField()
    refund_amount = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    reason = models.TextField(null=True)  # an absent value is NULL
    vendor = models.TextField(null=True)
    customer_name = models.TextField(null=True)  # a keyed hash
    customer_comments = models.TextField(null=True)  # always NULL

    class Meta:
        db_table = "returns_raw"
        indexes = (models.Index(fields=["sku", "returned_on"], name="returns_raw_sku"),)

    def __str__(self) -> str:
        return self.return_id

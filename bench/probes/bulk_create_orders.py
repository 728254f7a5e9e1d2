"""Loads a file of orders with Django's bulk_create: python -m bench.probes.bulk_create_orders FILE

It converts each value in Python and inserts 5,000 objects at a time, as the documentation suggests for large numbers.
"""

import csv
import json
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path

import django

_BATCH = 5000


def main() -> None:
    django.setup()
    from django.db import models, transaction

    class Order(models.Model):
        order_id = models.BigIntegerField(primary_key=True)
        sku = models.TextField()
        customer = models.TextField()
        email = models.TextField()
        quantity = models.IntegerField()
        unit_price = models.DecimalField(max_digits=12, decimal_places=2)
        currency = models.TextField()
        ordered_on = models.DateField()
        shipped_at = models.DateTimeField()
        is_gift = models.BooleanField()
        note = models.TextField()

        class Meta:
            app_label = "bench"
            db_table = "orders"
            managed = False

    def orders() -> Iterator[Order]:
        with Path(sys.argv[1]).open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield Order(
                    order_id=int(row["order_id"]),
                    sku=row["sku"],
                    customer=row["customer"],
                    email=row["email"],
                    quantity=int(row["quantity"]),
                    unit_price=Decimal(row["unit_price"]),
                    currency=row["currency"],
                    ordered_on=date.fromisoformat(row["ordered_on"]),
                    shipped_at=datetime.fromisoformat(row["shipped_at"]),
                    is_gift=row["is_gift"] == "true",
                    note=row["note"],
                )

    started_at = time.process_time()
    pending = orders()
    with transaction.atomic():
        while batch := list(islice(pending, _BATCH)):
            Order._base_manager.bulk_create(batch)
    print(json.dumps({"inner_cpu": time.process_time() - started_at}))


if __name__ == "__main__":
    main()

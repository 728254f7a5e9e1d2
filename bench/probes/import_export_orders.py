"""Loads a file of orders with django-import-export: python import_export_orders.py FILE

It runs in a separate environment and cannot import this project.
"""

import json
import os
import sys
import time
from pathlib import Path

import django
from django.conf import settings

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "USER": os.environ["PGUSER"],
            "NAME": os.environ["PGDATABASE"],
        }
    },
    INSTALLED_APPS=["import_export"],
    USE_TZ=True,
)
django.setup()

from django.db import models  # noqa: E402
from import_export import fields, resources, widgets  # noqa: E402
from tablib import Dataset  # noqa: E402


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


class OrderResource(resources.ModelResource):  # type: ignore[misc]  # not installed here
    shipped_at = fields.Field("shipped_at", "shipped_at", widget=widgets.DateTimeWidget("%Y-%m-%dT%H:%M:%S%z"))

    class Meta:
        model = Order
        import_id_fields = ("order_id",)
        use_bulk = True
        batch_size = 5000
        skip_diff = True
        force_init_instance = True


def main() -> None:
    started_at = time.process_time()
    data = Dataset().load(Path(sys.argv[1]).read_text(encoding="utf-8"), format="csv")
    result = OrderResource().import_data(data, raise_errors=True)
    assert not result.has_errors()  # noqa: S101
    print(json.dumps({"inner_cpu": time.process_time() - started_at}))


if __name__ == "__main__":
    main()

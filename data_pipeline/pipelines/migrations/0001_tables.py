"""The tables of the pipelines, and the log of freight rates.

The log is a view of their loads.
"""

import django.db.models.deletion
from django.db import migrations, models

_CREATE_VIEW = """
CREATE VIEW logistics_loadlog AS
SELECT
    id AS load_id, (payload_meta ->> 'seqno')::bigint AS seqno, payload_meta ->> 'file_sha256' AS file_sha256,
    payload_meta ->> 'source_uri' AS source_uri, status, attempts, rows_in,
    rows_inserted + rows_updated AS rows_upserted, rows_unchanged, rows_rejected, duration_ms, error_code,
    error_message, created_at, succeeded_at
FROM load_log
WHERE source = 'logistics_etl';
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("data_pipeline", "0007_requested_actions")]

    operations = [
        migrations.CreateModel(
            name="Vendor",
            fields=[
                ("code", models.TextField(primary_key=True, serialize=False)),
                ("name", models.TextField(blank=True, db_default="", default="")),
            ],
            options={
                "db_table": "vendors",
            },
        ),
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "base_currency",
                        "quote_currency",
                        "valid_on",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("base_currency", models.CharField(max_length=3)),
                ("quote_currency", models.CharField(max_length=3)),
                ("rate", models.DecimalField(decimal_places=10, max_digits=20)),
                ("valid_on", models.DateField()),
            ],
            options={
                "db_table": "rates",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("rate__gt", 0)), name="rates_rate_positive"),
                    models.CheckConstraint(
                        condition=models.Q(("base_currency__regex", "^[A-Z]{3}$")), name="rates_base_currency_code"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quote_currency__regex", "^[A-Z]{3}$")), name="rates_quote_currency_code"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Fee",
            fields=[
                ("asin", models.TextField(primary_key=True, serialize=False)),
                ("sales_price", models.DecimalField(decimal_places=4, max_digits=14)),
                ("referral_fee", models.DecimalField(decimal_places=4, max_digits=14)),
                ("fulfilment_fee", models.DecimalField(decimal_places=4, max_digits=14)),
                ("currency", models.CharField(max_length=3)),
            ],
            options={
                "db_table": "fees",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sales_price__gte", 0)), name="fees_sales_price_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("referral_fee__gte", 0)), name="fees_referral_fee_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fulfilment_fee__gte", 0)), name="fees_fulfilment_fee_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="fees_currency_code"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FreightRate",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "lane", "service", "valid_from", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("lane", models.TextField()),
                ("service", models.TextField()),
                ("price_per_kg", models.DecimalField(decimal_places=4, max_digits=14)),
                ("currency", models.CharField(max_length=3)),
                ("valid_from", models.DateField()),
            ],
            options={
                "db_table": "freight_rates",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("price_per_kg__gte", 0)), name="freight_rates_price_per_kg_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="freight_rates_currency_code"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReturnedItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("return_id", models.TextField()),
                ("order_id", models.TextField()),
                ("returned_on", models.DateField()),
                ("sku", models.TextField()),
                ("quantity", models.IntegerField()),
                ("refund_amount", models.DecimalField(decimal_places=2, max_digits=14, null=True)),
                ("reason", models.TextField(null=True)),
                ("vendor", models.TextField(null=True)),
                ("customer_name", models.TextField(null=True)),
                ("customer_comments", models.TextField(null=True)),
            ],
            options={
                "db_table": "returns_raw",
                "indexes": [models.Index(fields=["sku", "returned_on"], name="returns_raw_sku")],
            },
        ),
        migrations.CreateModel(
            name="VendorPrice",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "vendor", "sku", "valid_from", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("sku", models.TextField()),
                ("price", models.DecimalField(decimal_places=4, max_digits=14)),
                ("currency", models.CharField(max_length=3)),
                ("valid_from", models.DateField()),
                (
                    "vendor",
                    models.ForeignKey(
                        db_column="vendor",
                        on_delete=django.db.models.deletion.PROTECT,
                        to="data_pipeline_pipelines.vendor",
                    ),
                ),
            ],
            options={
                "db_table": "prices",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("price__gte", 0)), name="prices_price_not_negative"),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="prices_currency_code"
                    ),
                ],
            },
        ),
        migrations.RunSQL(_CREATE_VIEW, "DROP VIEW logistics_loadlog"),
    ]

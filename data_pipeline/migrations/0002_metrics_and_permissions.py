"""Counters of the metrics, indexes, and permissions of the pages.

The indexes are those of open loads and rejects.
"""

from django.db import migrations, models

import data_pipeline.domain.load_status
import data_pipeline.domain.rejects


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0001_load_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="LoadTotal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("metric", models.TextField()),
                ("source", models.TextField()),
                ("label", models.TextField()),
                ("value", models.FloatField()),
            ],
            options={
                "db_table": "load_total",
                "constraints": [
                    models.UniqueConstraint(fields=("metric", "source", "label"), name="load_total_counter")
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="loadlog",
            options={
                "permissions": (
                    ("load", "Can load, replay and verify files, and dismiss rejects"),
                    ("undo", "Can undo loads"),
                    ("see_raw", "Can see the bytes and values of rejected records"),
                ),
                "verbose_name": "load",
            },
        ),
        migrations.AddIndex(
            model_name="loadlog",
            index=models.Index(
                models.F("status"),
                models.OrderBy(models.F("updated_at"), descending=True),
                condition=models.Q(
                    (
                        "status__in",
                        [
                            data_pipeline.domain.load_status.LoadStatus["PENDING"],
                            data_pipeline.domain.load_status.LoadStatus["SKIPPED"],
                            data_pipeline.domain.load_status.LoadStatus["FAILED"],
                        ],
                    )
                ),
                name="load_log_unsettled",
            ),
        ),
        migrations.AddIndex(
            model_name="loadreject",
            index=models.Index(
                condition=models.Q(("state", data_pipeline.domain.rejects.RejectState["OPEN"])),
                fields=["load"],
                name="load_reject_open",
            ),
        ),
    ]

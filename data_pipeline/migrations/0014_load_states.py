"""Indexes for lists of skipped, failed and undone loads. They have no entry for a successful load."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0013_undone_loads"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="loadlog",
            index=models.Index(
                fields=["status", "-created_at", "-id", "target"],
                condition=models.Q(status__in=["skipped", "failed"]),
                name="load_log_unsuccessful",
            ),
        ),
        migrations.AddIndex(
            model_name="loadlog",
            index=models.Index(
                fields=["-created_at", "-id"],
                condition=models.Q(status="failed", error_code="undone"),
                name="load_log_undone_created",
            ),
        ),
    ]

"""The action of a request, and an index on failed requests."""

from django.db import migrations, models

import data_pipeline.domain.load_requests


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0006_dismissed_loads"),
    ]

    operations = [
        migrations.AddField(
            model_name="loadrequest",
            name="action",
            field=models.TextField(
                db_default=data_pipeline.domain.load_requests.RequestAction["LOAD"],
                default=data_pipeline.domain.load_requests.RequestAction["LOAD"],
            ),
        ),
        migrations.AddConstraint(
            model_name="loadrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("action__in", ["load", "undo", "verify"])),
                name="load_request_action",
            ),
        ),
        migrations.AddIndex(
            model_name="loadrequest",
            index=models.Index(
                condition=models.Q(("error_message__isnull", False)),
                fields=["id"],
                name="load_request_failed",
            ),
        ),
    ]

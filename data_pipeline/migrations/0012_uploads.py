"""Idempotency keys, error codes and results of requests.

Requests can be dry runs, and loads of uploaded records.
"""

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0011_lists_of_the_api"),
    ]

    operations = [
        migrations.AddField(model_name="loadrequest", name="error_code", field=models.TextField(null=True)),
        migrations.AddField(model_name="loadrequest", name="result", field=models.JSONField(null=True)),
        migrations.AddField(model_name="loadrequest", name="idempotency_key", field=models.TextField(null=True)),
        migrations.AddConstraint(
            model_name="loadrequest",
            constraint=models.UniqueConstraint(fields=("idempotency_key",), name="load_request_idempotency_key"),
        ),
        migrations.RemoveConstraint(model_name="loadrequest", name="load_request_action"),
        migrations.AddConstraint(
            model_name="loadrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "action__in",
                        [
                            "load",
                            "undo",
                            "verify",
                            "transform",
                            "replay_rejects",
                            "dry_run",
                            "records",
                        ],
                    )
                ),
                name="load_request_action",
            ),
        ),
        migrations.AddIndex(
            model_name="loadrequest",
            index=models.Index(django.db.models.functions.text.MD5("source_uri"), name="load_request_uri"),
        ),
    ]

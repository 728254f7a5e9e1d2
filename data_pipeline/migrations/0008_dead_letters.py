"""Dead letters, and requests to transform an object."""

import django.db.models.functions.datetime
from django.db import migrations, models

import data_pipeline.domain.dead_letters
import data_pipeline.models.columns


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0007_requested_actions"),
    ]

    operations = [
        migrations.CreateModel(
            name="LoadDeadLetter",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("source", models.CharField(max_length=128)),
                ("idempotency_key", data_pipeline.models.columns.FixedCharField(max_length=64)),
                ("uri", models.TextField()),
                ("options", models.JSONField(db_default={}, default=dict)),
                ("error_code", models.TextField()),
                ("error_message", models.CharField(max_length=1024)),
                ("attempts", models.IntegerField(db_default=1, default=1)),
                ("next_try_at", models.DateTimeField(null=True)),
                (
                    "state",
                    models.TextField(
                        db_default=data_pipeline.domain.dead_letters.LetterState["OPEN"],
                        default=data_pipeline.domain.dead_letters.LetterState["OPEN"],
                    ),
                ),
                ("load_id", models.BigIntegerField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "verbose_name": "dead letter",
                "db_table": "load_dead_letter",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "resolved"), _negated=True),
                        fields=["source"],
                        name="load_dead_letter_unsettled",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "idempotency_key"), name="load_dead_letter_key"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "resolved", "dismissed"])),
                        name="load_dead_letter_state",
                    ),
                ],
            },
        ),
        migrations.RemoveConstraint(model_name="loadrequest", name="load_request_action"),
        migrations.AddConstraint(
            model_name="loadrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("action__in", ["load", "undo", "verify", "transform"])),
                name="load_request_action",
            ),
        ),
    ]

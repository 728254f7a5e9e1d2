"""Indexes for the lists of the API, and requests that replay rejects.

The lists are ordered by the time of creation.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0010_view_stats"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="loadlog", name="load_log_target"),
        migrations.AddIndex(
            model_name="loadlog",
            index=models.Index(fields=["-created_at", "-id"], name="load_log_created"),
        ),
        migrations.AddIndex(
            model_name="loadlog",
            index=models.Index(fields=["target", "-created_at", "-id"], name="load_log_target_created"),
        ),
        migrations.AddIndex(
            model_name="loadrequest",
            index=models.Index(fields=["requested_by", "load"], name="load_request_requester"),
        ),
        migrations.RemoveConstraint(model_name="loadrequest", name="load_request_action"),
        migrations.AddConstraint(
            model_name="loadrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("action__in", ["load", "undo", "verify", "transform", "replay_rejects"])),
                name="load_request_action",
            ),
        ),
    ]

"""Attempts and worker of a queued load, and an index.

The index has the unfinished loads.
"""

from django.db import migrations, models

import data_pipeline.domain.load_requests


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0004_addresses"),
    ]

    operations = [
        migrations.AddField(
            model_name="loadrequest",
            name="attempts",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="loadrequest",
            name="worker",
            field=models.TextField(null=True),
        ),
        migrations.AddIndex(
            model_name="loadrequest",
            index=models.Index(
                condition=models.Q(("state", data_pipeline.domain.load_requests.RequestState["ENDED"]), _negated=True),
                fields=["id"],
                name="load_request_unfinished",
            ),
        ),
    ]

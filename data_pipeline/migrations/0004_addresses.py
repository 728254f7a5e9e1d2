"""An index on the addresses of loaded files."""

import django.contrib.postgres.indexes
import django.db.models.fields.json
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0003_refresh_claims"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="loadlog",
            index=django.contrib.postgres.indexes.HashIndex(
                django.db.models.fields.json.KeyTransform("source_uri", "payload_meta"), name="load_log_uri"
            ),
        ),
    ]

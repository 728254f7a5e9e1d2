"""An index on the addresses of loaded files."""

import django.db.models.fields.json
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0003_refresh_claims"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="loadlog",
            index=models.Index(
                django.db.models.functions.text.MD5(
                    django.db.models.fields.json.KeyTextTransform("source_uri", "payload_meta")
                ),
                name="load_log_uri",
            ),
        ),
    ]

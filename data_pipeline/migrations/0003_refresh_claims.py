"""Claims of requested refreshes, and an index.

The index has the latest loads of a table.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0002_metrics_and_permissions"),
    ]

    operations = [
        migrations.AddField(
            model_name="loadrefresh",
            name="claimed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="loadlog",
            index=models.Index(fields=["target", "-succeeded_at"], name="load_log_target_succeeded"),
        ),
    ]

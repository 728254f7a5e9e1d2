"""An index on the undone loads of a table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0012_uploads"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="loadlog",
            index=models.Index(
                fields=["target", "undone_at"], condition=models.Q(undone_at__isnull=False), name="load_log_undone"
            ),
        ),
    ]

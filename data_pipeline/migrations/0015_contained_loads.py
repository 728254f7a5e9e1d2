"""Views count the loads that they lack from an index alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0014_load_states"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="loadlog", name="load_log_target_succeeded"),
        migrations.AddIndex(
            model_name="loadlog",
            index=models.Index(
                fields=["target", "-succeeded_at"],
                include=["id", "xid", "status", "rows_inserted", "rows_updated", "rows_deleted"],
                name="load_log_target_succeeded",
            ),
        ),
    ]

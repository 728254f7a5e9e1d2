"""When the failure of a load was dismissed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0005_load_request_attempts"),
    ]

    operations = [
        migrations.AddField(
            model_name="loadlog",
            name="dismissed_at",
            field=models.DateTimeField(null=True),
        ),
    ]

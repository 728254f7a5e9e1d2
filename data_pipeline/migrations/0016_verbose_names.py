"""Names of models and fields on pages. They are translated, and no table changes."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("data_pipeline", "0015_contained_loads")]

    operations = [
        migrations.AlterModelOptions(
            name="loaddeadletter",
            options={"managed": False, "verbose_name": "dead letter", "verbose_name_plural": "dead letters"},
        ),
        migrations.AlterModelOptions(
            name="loadlog",
            options={
                "permissions": (
                    ("load", "Can load, replay and verify files, and dismiss rejects"),
                    ("undo", "Can undo loads"),
                    ("see_raw", "Can see the bytes and values of rejected records"),
                    ("view_stats", "Can see statistics and scores"),
                ),
                "verbose_name": "load",
                "verbose_name_plural": "loads",
            },
        ),
        migrations.AlterModelOptions(
            name="loadreject", options={"verbose_name": "reject", "verbose_name_plural": "rejects"}
        ),
        migrations.AlterModelOptions(
            name="loadrequest", options={"verbose_name": "load request", "verbose_name_plural": "load requests"}
        ),
        migrations.AlterField(
            "loadlog", "updated_at", models.DateTimeField(db_default=Now(), verbose_name="updated at")
        ),
        migrations.AlterField("loadrequest", "source_uri", models.TextField(verbose_name="source uri")),
        migrations.AlterField("loadrequest", "requested_by", models.TextField(verbose_name="requested by")),
        migrations.AlterField(
            "loadrequest", "attempts", models.IntegerField(db_default=0, default=0, verbose_name="attempts")
        ),
        migrations.AlterField("loadrequest", "worker", models.TextField(null=True, verbose_name="worker")),
        migrations.AlterField(
            "loadrequest",
            "error_message",
            models.CharField(max_length=1024, null=True, verbose_name="error message"),
        ),
        migrations.AlterField(
            "loadrequest", "dispatched_at", models.DateTimeField(null=True, verbose_name="dispatched at")
        ),
        migrations.AlterField(
            "loadrequest", "created_at", models.DateTimeField(db_default=Now(), verbose_name="created at")
        ),
        migrations.AlterField(
            "loadrequest", "finished_at", models.DateTimeField(null=True, verbose_name="finished at")
        ),
    ]

"""The permission to see statistics."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0009_dead_letters_of_loads"),
    ]

    operations = [
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
            },
        ),
    ]

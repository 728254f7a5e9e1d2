"""Dead letters become a view of failed loads.

Those have the same facts. What was dismissed stays dismissed.
"""

import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.text
from django.db import migrations, models

_DISMISS_LOADS = """
UPDATE load_log AS l SET dismissed_at = d.updated_at
FROM load_dead_letter AS d
WHERE d.state = 'dismissed' AND l.id = d.load_id AND l.status = 'failed' AND l.dismissed_at IS NULL
"""
# Attempts double the wait, from 15 minutes to a day. An operator decides after six, and if a later load has changed the
# table: a load that replaces rows must not replace later ones. A newer version of the artefact has its own next try.
# The index gives the latest of many loads at once, but PostgreSQL can read all of them for an EXISTS.
_CREATE_VIEW = """
CREATE VIEW load_dead_letter WITH (security_invoker = true) AS
SELECT
    f.id AS load_id, f.source, f.payload_meta ->> 'source_uri' AS uri, f.target, s.state, f.attempts,
    CASE
        WHEN s.state = 'open' AND f.attempts < 6 AND f.payload_meta ? 'options' AND NOT EXISTS (
            SELECT
            FROM load_log AS newer
            WHERE md5(newer.payload_meta ->> 'source_uri') = md5(f.payload_meta ->> 'source_uri')
                AND newer.payload_meta ->> 'source_uri' = f.payload_meta ->> 'source_uri' AND newer.source = f.source
                AND newer.id > f.id AND (newer.target = f.target OR f.target IS NULL)
        ) AND (
            f.source = 'silver.transform' OR f.target IS NOT NULL AND coalesce(f.updated_at >= (
                SELECT max(later.succeeded_at) FROM load_log AS later WHERE later.target = f.target
            ), true)
        ) THEN f.updated_at + CASE
            WHEN f.error_code = 'interrupted' THEN interval '0'
            ELSE least(interval '15 minutes' * 2 ^ (f.attempts - 1), interval '1 day')
        END
    END AS next_try_at,
    f.error_code, f.error_message, f.created_at, f.updated_at
FROM load_log AS f
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN f.created_at < (
            SELECT max(later.succeeded_at)
            FROM load_log AS later
            WHERE md5(later.payload_meta ->> 'source_uri') = md5(f.payload_meta ->> 'source_uri')
                AND later.payload_meta ->> 'source_uri' = f.payload_meta ->> 'source_uri' AND later.source = f.source
                AND later.status IN ('success', 'skipped')
                AND (later.target = f.target OR f.target IS NULL)
        ) THEN 'resolved'
        WHEN f.dismissed_at IS NOT NULL THEN 'dismissed'
        ELSE 'open'
    END AS state
) AS s
WHERE f.status = 'failed' AND f.error_code IS DISTINCT FROM 'undone'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("data_pipeline", "0008_dead_letters"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="loadlog", name="load_log_uri"),
        migrations.AddIndex(
            model_name="loadlog",
            index=models.Index(
                django.db.models.functions.text.MD5(
                    django.db.models.fields.json.KeyTextTransform("source_uri", "payload_meta")
                ),
                models.OrderBy(models.F("succeeded_at"), descending=True),
                name="load_log_uri",
            ),
        ),
        migrations.RunSQL(_DISMISS_LOADS, migrations.RunSQL.noop),
        migrations.DeleteModel(name="LoadDeadLetter"),
        migrations.CreateModel(
            name="LoadDeadLetter",
            fields=[
                (
                    "load",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="data_pipeline.loadlog",
                    ),
                ),
                ("source", models.CharField(max_length=128)),
                ("uri", models.TextField(null=True)),
                ("target", models.TextField(null=True)),
                ("state", models.TextField()),
                ("attempts", models.IntegerField()),
                ("next_try_at", models.DateTimeField(null=True)),
                ("error_code", models.TextField(null=True)),
                ("error_message", models.CharField(max_length=1024, null=True)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
            ],
            options={"verbose_name": "dead letter", "db_table": "load_dead_letter", "managed": False},
        ),
        migrations.RunSQL(_CREATE_VIEW, "DROP VIEW load_dead_letter"),
    ]

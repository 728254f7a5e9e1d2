"""The tables of loads, their rejects, changes, events, requests and refreshes."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import data_pipeline.domain.load_requests
import data_pipeline.domain.load_status
import data_pipeline.domain.rejects
import data_pipeline.models.columns

_REFUSE_CHANGES = """
CREATE FUNCTION load_event_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'load_event is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER load_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON load_event
    FOR EACH STATEMENT EXECUTE FUNCTION load_event_refuse_change();
"""
_ALLOW_CHANGES = """
DROP TRIGGER load_event_append_only ON load_event;
DROP FUNCTION load_event_refuse_change();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="LoadEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("load_id", models.BigIntegerField(db_index=True, null=True)),
                ("event", models.TextField()),
                ("actor", models.TextField()),
                ("facts", models.JSONField(db_default={}, default=dict)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "load_event",
            },
        ),
        migrations.CreateModel(
            name="LoadLog",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=128)),
                ("idempotency_key", data_pipeline.models.columns.FixedCharField(max_length=64)),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("pending", "pending"),
                            ("success", "success"),
                            ("skipped", "skipped"),
                            ("failed", "failed"),
                        ]
                    ),
                ),
                ("payload_meta", models.JSONField(db_default={}, default=dict)),
                ("processed_by", models.TextField(null=True)),
                ("task_id", models.TextField(null=True)),
                ("duration_ms", models.IntegerField(null=True)),
                ("error_message", models.CharField(max_length=1024, null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("attempts", models.IntegerField(db_default=1, default=1)),
                ("succeeded_at", models.DateTimeField(null=True)),
                ("xid", data_pipeline.models.columns.TransactionIdField(null=True)),
                ("target", models.TextField(null=True)),
                ("rows_in", models.BigIntegerField(null=True)),
                ("rows_inserted", models.BigIntegerField(null=True)),
                ("rows_updated", models.BigIntegerField(null=True)),
                ("rows_unchanged", models.BigIntegerField(null=True)),
                ("rows_deleted", models.BigIntegerField(null=True)),
                ("rows_rejected", models.BigIntegerField(null=True)),
                ("content_blake2b", models.TextField(null=True)),
                ("undone_at", models.DateTimeField(null=True)),
                ("error_code", models.TextField(null=True)),
            ],
            options={
                "verbose_name": "load",
                "db_table": "load_log",
                "indexes": [
                    models.Index(models.OrderBy(models.F("updated_at"), descending=True), name="load_log_updated"),
                    models.Index(fields=["source", "status"], name="load_log_source_status"),
                    models.Index(fields=["target", "id"], name="load_log_target"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "idempotency_key"), name="load_log_source_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    data_pipeline.domain.load_status.LoadStatus["PENDING"],
                                    data_pipeline.domain.load_status.LoadStatus["SUCCESS"],
                                    data_pipeline.domain.load_status.LoadStatus["SKIPPED"],
                                    data_pipeline.domain.load_status.LoadStatus["FAILED"],
                                ],
                            )
                        ),
                        name="load_log_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("idempotency_key__regex", "^[0-9a-f]{64}$")),
                        name="load_log_idempotency_key",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LoadChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("target", models.TextField()),
                ("key", models.JSONField()),
                ("old", models.JSONField(null=True)),
                ("deleted", models.BooleanField(db_default=False, default=False)),
                (
                    "load",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="changes", to="data_pipeline.loadlog"
                    ),
                ),
            ],
            options={
                "db_table": "load_change",
                "indexes": [models.Index(fields=["target", "id"], name="load_change_target")],
            },
        ),
        migrations.CreateModel(
            name="LoadRefresh",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("relations", models.JSONField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("dispatched_at", models.DateTimeField(null=True)),
                ("request_id", models.TextField(null=True)),
                ("views", models.JSONField(null=True)),
                (
                    "load",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="refresh", to="data_pipeline.loadlog"
                    ),
                ),
            ],
            options={
                "db_table": "load_refresh",
                "indexes": [
                    models.Index(
                        condition=models.Q(("dispatched_at", None)), fields=["id"], name="load_refresh_undispatched"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LoadReject",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("line_no", models.BigIntegerField()),
                ("record_no", models.BigIntegerField()),
                ("problems", models.JSONField()),
                ("raw", models.BinaryField()),
                (
                    "state",
                    models.TextField(
                        db_default=data_pipeline.domain.rejects.RejectState["OPEN"],
                        default=data_pipeline.domain.rejects.RejectState["OPEN"],
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "load",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rejects",
                        to="data_pipeline.loadlog",
                    ),
                ),
                (
                    "replayed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="replayed_rejects",
                        to="data_pipeline.loadlog",
                    ),
                ),
            ],
            options={
                "verbose_name": "reject",
                "db_table": "load_reject",
                "constraints": [
                    models.UniqueConstraint(fields=("load", "record_no"), name="load_reject_record"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    data_pipeline.domain.rejects.RejectState["OPEN"],
                                    data_pipeline.domain.rejects.RejectState["REPLAYED"],
                                    data_pipeline.domain.rejects.RejectState["DISMISSED"],
                                ],
                            )
                        ),
                        name="load_reject_state",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LoadRequest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("source_uri", models.TextField()),
                ("options", models.JSONField(db_default={}, default=dict)),
                ("requested_by", models.TextField()),
                (
                    "state",
                    models.TextField(
                        db_default=data_pipeline.domain.load_requests.RequestState["QUEUED"],
                        default=data_pipeline.domain.load_requests.RequestState["QUEUED"],
                    ),
                ),
                ("error_message", models.CharField(max_length=1024, null=True)),
                ("dispatched_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "load",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="data_pipeline.loadlog"
                    ),
                ),
            ],
            options={
                "db_table": "load_request",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    data_pipeline.domain.load_requests.RequestState["QUEUED"],
                                    data_pipeline.domain.load_requests.RequestState["RUNNING"],
                                    data_pipeline.domain.load_requests.RequestState["ENDED"],
                                ],
                            )
                        ),
                        name="load_request_state",
                    )
                ],
            },
        ),
        migrations.RunSQL(_REFUSE_CHANGES, _ALLOW_CHANGES),
    ]

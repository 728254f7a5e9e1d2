"""Loads: one row for each artefact of a source."""

from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import MD5, Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.models.columns import FixedCharField, TransactionIdField

ADDRESS_HASH = MD5(KeyTextTransform("source_uri", "payload_meta"))


class LoadLog(models.Model):
    """A load of one artefact of a source.

    The source and the key are unique together, so an artefact is loaded once. `services/process_once.py` is the only
    writer of the status.
    """

    source = models.CharField(max_length=128)
    idempotency_key = FixedCharField(max_length=64)
    status = models.TextField(choices=[(one.value, one.value) for one in LoadStatus])
    payload_meta = models.JSONField(default=dict, db_default={})
    processed_by = models.TextField(null=True)
    task_id = models.TextField(null=True)
    duration_ms = models.IntegerField(null=True)
    error_message = models.CharField(max_length=1024, null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(_("updated at"), db_default=Now())
    attempts = models.IntegerField(default=1, db_default=1)
    succeeded_at = models.DateTimeField(null=True)
    xid = TransactionIdField(null=True)  # of the transaction that committed the rows
    target = models.TextField(null=True)  # the loaded table, with its schema
    rows_in = models.BigIntegerField(null=True)  # records of the artefact, without the header
    rows_inserted = models.BigIntegerField(null=True)
    rows_updated = models.BigIntegerField(null=True)
    rows_unchanged = models.BigIntegerField(null=True)
    rows_deleted = models.BigIntegerField(null=True)
    rows_rejected = models.BigIntegerField(null=True)
    content_blake2b = models.TextField(null=True)
    undone_at = models.DateTimeField(null=True)
    error_code = models.TextField(null=True)  # SQLSTATE, or a word of this app
    dismissed_at = models.DateTimeField(null=True)  # a failure that needs no attention

    class Meta:
        db_table = "load_log"
        verbose_name = _("load")
        verbose_name_plural = _("loads")
        permissions = (
            ("load", "Can load, replay and verify files, and dismiss rejects"),
            ("undo", "Can undo loads"),
            ("see_raw", "Can see the bytes and values of rejected records"),
            ("view_stats", "Can see statistics and scores"),
        )
        constraints = (
            models.UniqueConstraint(fields=["source", "idempotency_key"], name="load_log_source_key"),
            models.CheckConstraint(condition=models.Q(status__in=list(LoadStatus)), name="load_log_status"),
            models.CheckConstraint(
                condition=models.Q(idempotency_key__regex="^[0-9a-f]{64}$"), name="load_log_idempotency_key"
            ),
        )
        indexes = (
            models.Index(models.F("updated_at").desc(), name="load_log_updated"),
            models.Index(fields=["source", "status"], name="load_log_source_status"),
            models.Index(fields=["-created_at", "-id"], name="load_log_created"),
            models.Index(fields=["target", "-created_at", "-id"], name="load_log_target_created"),
            models.Index(
                models.F("status"),
                models.F("updated_at").desc(),
                condition=models.Q(status__in=[LoadStatus.PENDING, LoadStatus.SKIPPED, LoadStatus.FAILED]),
                name="load_log_unsettled",
            ),
            # A page of 200 views counts the loads that they lack, without reading their rows.
            models.Index(
                fields=["target", "-succeeded_at"],
                include=["id", "xid", "status", "rows_inserted", "rows_updated", "rows_deleted"],
                name="load_log_target_succeeded",
            ),
            models.Index(
                fields=["target", "undone_at"], condition=models.Q(undone_at__isnull=False), name="load_log_undone"
            ),
            models.Index(
                fields=["status", "-created_at", "-id", "target"],
                condition=models.Q(status__in=[LoadStatus.SKIPPED, LoadStatus.FAILED]),
                name="load_log_unsuccessful",
            ),
            models.Index(
                fields=["-created_at", "-id"],
                condition=models.Q(status=LoadStatus.FAILED, error_code="undone"),
                name="load_log_undone_created",
            ),
            # A hash, because an address can be longer than an index allows.
            models.Index(ADDRESS_HASH, models.F("succeeded_at").desc(), name="load_log_uri"),
        )

    def __str__(self) -> str:
        return gettext("load %(id)s of %(source)s") % {"id": self.pk, "source": self.source}

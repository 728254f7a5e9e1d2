"""Rejected records, with all problems and the bytes of the file."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from data_pipeline.domain.rejects import RejectState
from data_pipeline.models.load_log import LoadLog


class LoadReject(models.Model):
    """A record that could not be loaded."""

    id = models.BigAutoField(primary_key=True)
    load = models.ForeignKey(LoadLog, models.CASCADE, related_name="rejects", db_index=False)
    line_no = models.BigIntegerField()  # physical line at which the record begins, from 1; in a workbook, the row
    record_no = models.BigIntegerField()  # from 1, without the header
    # A list of {column, sqlstate, reason, value}; column is null if the record as a whole is malformed.
    problems = models.JSONField()
    raw = models.BinaryField()  # the record as in the file, at most 64 kB
    state = models.TextField(default=RejectState.OPEN, db_default=RejectState.OPEN)
    replayed_by = models.ForeignKey(LoadLog, models.SET_NULL, null=True, related_name="replayed_rejects")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "load_reject"
        verbose_name = _("reject")
        verbose_name_plural = _("rejects")
        constraints = (
            models.UniqueConstraint(fields=["load", "record_no"], name="load_reject_record"),
            models.CheckConstraint(condition=models.Q(state__in=list(RejectState)), name="load_reject_state"),
        )
        indexes = (models.Index(fields=["load"], condition=models.Q(state=RejectState.OPEN), name="load_reject_open"),)

    def __str__(self) -> str:
        return gettext("line %(line)s of load %(load)s") % {"line": self.line_no, "load": self.load_id}

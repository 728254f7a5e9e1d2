"""Artefacts that could not be loaded or transformed: a view of `load_log`."""

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from data_pipeline.models.load_log import LoadLog


class LoadDeadLetter(models.Model):
    """A failed load, in one version of its artefact. Its id is that of the load."""

    load = models.OneToOneField(LoadLog, models.DO_NOTHING, primary_key=True, related_name="+")
    source = models.CharField(max_length=128)
    uri = models.TextField(null=True)
    target = models.TextField(null=True)  # the table, with its schema
    state = models.TextField()
    attempts = models.IntegerField()
    next_try_at = models.DateTimeField(null=True)  # null if an operator decides
    error_code = models.TextField(null=True)  # SQLSTATE, or a word of this app
    error_message = models.CharField(max_length=1024, null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()  # of the last failure

    class Meta:
        db_table = "load_dead_letter"
        managed = False
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")

    def __str__(self) -> str:
        return gettext("dead letter of load %(id)s") % {"id": self.pk}

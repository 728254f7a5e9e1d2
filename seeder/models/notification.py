"""What was notified, mutes, and the outbox of notifications. The tables are optional."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Alert(models.Model):
    """The state of a view, of a contract of it, or of a source of loads, that was last notified."""

    id = models.BigAutoField(primary_key=True)
    kind = models.TextField()  # refresh, freshness or load
    database_alias = models.TextField()
    table_name = models.TextField()  # as printed from the catalog
    contract_id = models.BigIntegerField(db_default=0)  # 0: of its refreshes
    notified = models.TextField(db_default="ok")  # ok, failed, held or late
    notified_at = models.DateTimeField(null=True)  # null before the first change

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_alert"'


class Mute(models.Model):
    """A time in which nothing is notified about a view."""

    id = models.BigAutoField(primary_key=True)
    database_alias = models.TextField()
    table_name = models.TextField()  # as printed from the catalog
    reason = models.TextField()
    muted_by = models.TextField()
    muted_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_mute"'
        permissions = (("mute_notifications", "Can mute the notifications of a view"),)


class Notification(models.Model):
    """A notification for one channel."""

    id = models.BigAutoField(_("id"), primary_key=True)
    channel = models.TextField(_("channel"))  # a name in the setting NOTIFICATIONS
    event = models.TextField(_("event"))
    subject = models.TextField(_("subject"))  # database and view, or run; those of one subject are sent in order
    facts = models.JSONField(_("facts"))  # arguments of the signal
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    state = models.TextField(_("state"), db_default="pending")  # pending, sent, failed or gone
    attempts = models.IntegerField(_("attempts"), db_default=0)
    due_at = models.DateTimeField(_("due at"), db_default=Now())
    ended_at = models.DateTimeField(_("ended at"), null=True)
    error = models.TextField(_("error"), null=True)  # of the last attempt

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_notification"'
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")

    def __str__(self) -> str:
        return f"{self.event} of {self.subject} for {self.channel}"

"""Data checks of views, their results, and waivers of failed ones. The tables are optional."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from seeder.models.history_and_status import RunHistory


class DataCheck(models.Model):
    """A condition that the new rows of a view meet before readers see them."""

    id = models.BigAutoField(primary_key=True)
    database_alias = models.TextField(db_default="default")
    table_name = models.TextField()  # as printed from the catalog, or as a manifest of the view spells it
    check_name = models.TextField(_("check name"))
    kind = models.TextField()
    arguments = models.JSONField(db_default=models.Value({}, models.JSONField()))  # of the kind
    severity = models.TextField(db_default="error")
    tolerated_rows = models.BigIntegerField(db_default=0)
    tolerated_share = models.FloatField(db_default=0)  # of all rows, from 0 to 1
    enabled = models.BooleanField(_("enabled"), db_default=True)
    source = models.TextField(null=True)  # the name of the file that it is synchronised from
    updated_by = models.TextField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_check"'
        verbose_name = _("data check")
        verbose_name_plural = _("data checks")
        permissions = (
            ("edit_checks", "Can edit data checks, whose SQL runs as the refreshing role"),
            ("waive_checks", "Can publish data although a data check fails"),
        )

    def __str__(self) -> str:
        return gettext("%(check)s of %(view)s") % {"check": self.check_name, "view": self.table_name}


class DataCheckResult(models.Model):
    """Result of one data check, in the first history row of its refresh."""

    pk = models.CompositePrimaryKey("history", "check_name")
    # The database deletes it with its history row.
    history = models.ForeignKey(RunHistory, models.DO_NOTHING, related_name="check_results")
    run_id = models.TextField()
    database_alias = models.TextField()
    table_name = models.TextField()  # as printed from the catalog
    check_name = models.TextField()
    kind = models.TextField()
    arguments = models.JSONField()  # by which it was judged
    severity = models.TextField()
    outcome = models.TextField()  # passed, failed, could_not_run or waived
    figures = models.JSONField()
    samples = models.JSONField()  # texts of bad rows, as JSON; they require a permission to see data
    sqlstate = models.TextField(null=True)
    message = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_check_result"'


class DataCheckWaiver(models.Model):
    """A decision to publish once although a data check fails, or to accept its figures as the new baseline."""

    id = models.BigAutoField(primary_key=True)
    database_alias = models.TextField()
    table_name = models.TextField()  # as printed from the catalog
    check_name = models.TextField()
    decision = models.TextField()  # publish_once or accept
    arguments = models.JSONField()  # by which the failure was judged
    figures = models.JSONField()  # of the failure that was seen
    sqlstate = models.TextField(null=True)  # of a check that could not run
    reason = models.TextField()
    granted_by = models.TextField()
    granted_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)  # null for an accepted baseline
    used_at = models.DateTimeField(null=True)
    used_run_id = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_check_waiver"'

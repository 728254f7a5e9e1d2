"""Manifest tables: the views that agencies request. Only `manifest_editing` writes them."""

from typing import Self

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class CustomReportQuerySet(models.QuerySet["CustomReportManifest"]):
    def enabled(self) -> Self:
        return self.filter(enabled=True)


class CustomReportManifest(models.Model):
    """A report of one agency."""

    id = models.AutoField(primary_key=True)
    table_name = models.TextField()
    report_name = models.TextField(_("report name"))
    agency_id = models.IntegerField()
    agency_slug = models.TextField()
    query = models.TextField()
    database_id = models.IntegerField()
    enabled = models.BooleanField(_("enabled"), db_default=True)

    objects = CustomReportQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_custom_report_manifest"'
        verbose_name = _("custom manifest")
        verbose_name_plural = _("custom manifests")
        permissions = (
            ("view_manifests", "Can see manifests and their queries"),
            ("edit_manifests", "Can edit manifests, whose queries run as the refreshing role"),
        )

    def __str__(self) -> str:
        return gettext("%(report)s of %(agency)s") % {"report": self.report_name, "agency": self.agency_slug}


class CannedReport(models.Model):
    """A report that any agency can subscribe to."""

    id = models.AutoField(primary_key=True)
    table_name = models.TextField()
    report_name = models.TextField(_("report name"))
    query = models.TextField()
    database_id = models.IntegerField()

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_canned_report"'
        verbose_name = _("canned report")
        verbose_name_plural = _("canned reports")

    def __str__(self) -> str:
        return self.report_name


class CannedReportManifest(models.Model):
    """The subscription of an agency to a canned report. It is enabled if the row exists."""

    id = models.AutoField(primary_key=True)
    agency_id = models.IntegerField()
    agency_slug = models.TextField()
    # The contract has no foreign key, so the report can be missing.
    canned_report = models.ForeignKey(CannedReport, on_delete=models.DO_NOTHING, db_constraint=False)

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_canned_report_manifest"'
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")

    def __str__(self) -> str:
        names = {"agency": self.agency_slug, "id": self.canned_report_id}
        return gettext("%(agency)s subscribes to canned report %(id)s") % names

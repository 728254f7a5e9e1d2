"""Run history, one row per manifest and run, and the latest state of every view."""

from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class RunHistoryQuerySet(models.QuerySet["RunHistory"]):
    def of_agencies(self, slugs: list[str] | None) -> Self:
        """Return the rows of these agencies (None: all)."""
        return self if slugs is None else self.filter(agency_slug__in=slugs)


class RunHistory(models.Model):
    """One manifest in one run."""

    id = models.BigAutoField(_("id"), primary_key=True)
    run_id = models.TextField(_("run id"))
    manifest_id = models.IntegerField(_("manifest id"))
    table_name = models.TextField(_("table name"))
    report_name = models.TextField(_("report name"))
    agency_id = models.IntegerField(_("agency id"))
    agency_slug = models.TextField(_("agency slug"))
    report_type = models.TextField(_("report type"))
    status = models.TextField(_("status"))
    start_time = models.DateTimeField(_("start time"), db_default=Now())
    finish_time = models.DateTimeField(_("finish time"), null=True)
    duration_seconds = models.IntegerField(_("duration seconds"), null=True)
    records_processed = models.BigIntegerField(_("records processed"), null=True, db_default=0)
    bytes_processed = models.BigIntegerField(_("bytes processed"), null=True, db_default=0)
    memory_usage_mb = models.IntegerField(_("memory usage mb"), null=True)
    cpu_percentage = models.IntegerField(_("cpu percentage"), null=True)
    consecutive_failures = models.IntegerField(_("consecutive failures"), null=True, db_default=0)
    errors = models.TextField(_("errors"), null=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    updated_at = models.DateTimeField(_("updated at"), db_default=Now())

    objects = RunHistoryQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_run_history"'
        verbose_name = verbose_name_plural = _("run history")
        permissions = (("view_errors", "Can see full error messages, which can quote data"),)

    def __str__(self) -> str:
        facts = {"view": self.table_name, "run": self.run_id, "status": self.status}
        return gettext("%(view)s in run %(run)s: %(status)s") % facts


class JobStatus(models.Model):
    """The latest state of a view, one row for each spelling of its name in manifests."""

    table_name = models.TextField(_("table name"), primary_key=True)
    manifest_id = models.IntegerField(_("manifest id"))
    report_name = models.TextField(_("report name"))
    report_type = models.TextField(_("report type"))
    agency_id = models.IntegerField(_("agency id"))
    agency_slug = models.TextField(_("agency slug"))
    status = models.TextField(_("status"))
    duration_seconds = models.IntegerField(_("duration seconds"), null=True, db_default=0)
    start_time = models.DateTimeField(_("start time"), null=True)
    consecutive_failures = models.IntegerField(_("consecutive failures"), null=True, db_default=0)
    last_run_id = models.TextField(_("last run id"), null=True)
    last_errors = models.TextField(_("last errors"), null=True)
    updated_at = models.DateTimeField(_("updated at"), db_default=Now())

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_job_status"'
        verbose_name = _("latest state")
        verbose_name_plural = _("latest states")
        permissions = (("refresh_views", "Can refresh views"),)

    def __str__(self) -> str:
        return f"{self.table_name}: {self.status}"

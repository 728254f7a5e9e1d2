"""Run history, one row per manifest and run, and the latest state of every view."""

from typing import Self

from django.db import models
from django.db.models.functions import Now


class RunHistoryQuerySet(models.QuerySet["RunHistory"]):
    def of_agencies(self, slugs: list[str] | None) -> Self:
        """Return the rows of these agencies (None: all)."""
        return self if slugs is None else self.filter(agency_slug__in=slugs)


class RunHistory(models.Model):
    """One manifest in one run."""

    id = models.BigAutoField(primary_key=True)
    run_id = models.TextField()
    manifest_id = models.IntegerField()
    table_name = models.TextField()
    report_name = models.TextField()
    agency_id = models.IntegerField()
    agency_slug = models.TextField()
    report_type = models.TextField()
    status = models.TextField()
    start_time = models.DateTimeField(db_default=Now())
    finish_time = models.DateTimeField(null=True)
    duration_seconds = models.IntegerField(null=True)
    records_processed = models.BigIntegerField(null=True, db_default=0)
    bytes_processed = models.BigIntegerField(null=True, db_default=0)
    memory_usage_mb = models.IntegerField(null=True)
    cpu_percentage = models.IntegerField(null=True)
    consecutive_failures = models.IntegerField(null=True, db_default=0)
    errors = models.TextField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = RunHistoryQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_run_history"'
        verbose_name = verbose_name_plural = "run history"
        permissions = (("view_errors", "Can see full error messages, which can quote data"),)

    def __str__(self) -> str:
        return f"{self.table_name} in run {self.run_id}: {self.status}"


class JobStatus(models.Model):
    """The latest state of a view, one row for each spelling of its name in manifests."""

    table_name = models.TextField(primary_key=True)
    manifest_id = models.IntegerField()
    report_name = models.TextField()
    report_type = models.TextField()
    agency_id = models.IntegerField()
    agency_slug = models.TextField()
    status = models.TextField()
    duration_seconds = models.IntegerField(null=True, db_default=0)
    start_time = models.DateTimeField(null=True)
    consecutive_failures = models.IntegerField(null=True, db_default=0)
    last_run_id = models.TextField(null=True)
    last_errors = models.TextField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_job_status"'
        verbose_name = "latest state"
        permissions = (("refresh_views", "Can refresh views"),)

    def __str__(self) -> str:
        return f"{self.table_name}: {self.status}"

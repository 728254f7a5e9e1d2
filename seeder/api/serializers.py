"""Serializers of jobs, history and runs, with the contract's field names."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.monitoring.timeline import HoldInterval, RunTotals
from seeder.domain.outcomes import Status
from seeder.models import RunHistory
from seeder.services.read_models.error_redaction import UNKNOWN, FailureReason, redact

_STATUSES, _REPORT_TYPES = [*map(str, Status)], [*map(str, ReportType)]


class UTCDateTimeField(serializers.DateTimeField):
    """ISO 8601 in UTC, regardless of the host's formats."""

    def to_representation(self, value: Any) -> str:
        return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


class SecondsField(serializers.FloatField):
    """A timedelta in seconds."""

    def to_representation(self, value: Any) -> Any:
        return round(value.total_seconds(), 6)


@extend_schema_field(OpenApiTypes.INT64)
class Int64Field(serializers.IntegerField):
    """An integer that may need 64 bits, marked as such in the schema."""


class JobSerializer(serializers.Serializer[Job]):
    """A manifest with the latest status of its view."""

    id = serializers.IntegerField(source="manifest_id", help_text="id of the manifest, unique within a report type")
    reportName = serializers.CharField(source="report_name")
    tableName = serializers.CharField(source="table_name")
    reportType = serializers.ChoiceField(source="report_type", choices=_REPORT_TYPES)
    status = serializers.ChoiceField(choices=_STATUSES, allow_null=True, help_text="null if it has never run")
    durationSeconds = serializers.IntegerField(source="duration_seconds", allow_null=True)
    startTime = UTCDateTimeField(source="start_time", allow_null=True)
    consecutiveFailures = serializers.IntegerField(source="consecutive_failures")
    agencyId = serializers.IntegerField(source="agency_id")
    agencyName = serializers.SerializerMethodField()
    agencySlug = serializers.CharField(source="agency_slug")
    lastSuccess = UTCDateTimeField(
        source="last_success_at", allow_null=True, help_text="start of the last successful refresh"
    )
    lastRunId = serializers.CharField(source="last_run_id", allow_null=True)
    failing = serializers.BooleanField(help_text="the last finished refresh failed (also true while a new one runs)")
    stale = serializers.BooleanField(help_text="the last success is too long ago, or there is none")
    longRunning = serializers.BooleanField(source="long_running")
    errors = serializers.SerializerMethodField()  # type: ignore[assignment]  # DRF moves fields out of the class
    reason = serializers.SerializerMethodField()
    sqlstate = serializers.SerializerMethodField()

    def get_agencyName(self, job: Job) -> str:  # noqa: N802  # DRF derives it from the field name
        names: Mapping[int, str] = self.context["agency_names"]
        return names[job.agency_id]

    def get_errors(self, job: Job) -> str | None:
        return redact(
            job.errors, self._failure_reason(job), failed=job.failing, can_see_errors=self.context["can_see_errors"]
        )

    def get_reason(self, job: Job) -> str | None:
        return self._failure_reason(job).reason

    def get_sqlstate(self, job: Job) -> str | None:
        return self._failure_reason(job).sqlstate

    def _failure_reason(self, job: Job) -> FailureReason:
        reasons: Mapping[tuple[ReportType, int], FailureReason] = self.context["reasons"]
        return reasons.get((job.report_type, job.manifest_id), UNKNOWN)


class HistorySerializer(serializers.Serializer[RunHistory]):
    """One manifest in one run."""

    runId = serializers.CharField(source="run_id")
    status = serializers.ChoiceField(choices=_STATUSES)
    startTime = UTCDateTimeField(source="start_time")
    finishTime = UTCDateTimeField(source="finish_time", allow_null=True)
    durationSeconds = serializers.IntegerField(source="duration_seconds", allow_null=True)
    recordsProcessed = Int64Field(source="records_processed", allow_null=True)
    bytesProcessed = Int64Field(source="bytes_processed", allow_null=True)
    memoryUsageMb = serializers.IntegerField(source="memory_usage_mb", allow_null=True)
    cpuPercentage = serializers.IntegerField(source="cpu_percentage", allow_null=True)
    errors = serializers.SerializerMethodField()  # type: ignore[assignment]  # DRF moves fields out of the class
    reason = serializers.SerializerMethodField()
    sqlstate = serializers.SerializerMethodField()
    id = serializers.IntegerField(source="manifest_id", help_text="id of the manifest, unique within a report type")
    reportType = serializers.ChoiceField(source="report_type", choices=_REPORT_TYPES)
    reportName = serializers.CharField(source="report_name")
    tableName = serializers.CharField(source="table_name")
    agencyId = serializers.IntegerField(source="agency_id")
    agencySlug = serializers.CharField(source="agency_slug")

    def get_errors(self, row: RunHistory) -> str | None:
        failed = row.status == Status.ERROR
        return redact(
            row.errors, self._failure_reason(row), failed=failed, can_see_errors=self.context["can_see_errors"]
        )

    def get_reason(self, row: RunHistory) -> str | None:
        return self._failure_reason(row).reason

    def get_sqlstate(self, row: RunHistory) -> str | None:
        return self._failure_reason(row).sqlstate

    def _failure_reason(self, row: RunHistory) -> FailureReason:
        reasons: Mapping[int, FailureReason] = self.context["reasons"]
        return reasons.get(row.pk, UNKNOWN)


class RunSerializer(serializers.Serializer[RunTotals]):
    """One run, with totals of the manifests that the user may see."""

    runId = serializers.CharField(source="run_id")
    status = serializers.ChoiceField(choices=_STATUSES)
    description = serializers.CharField()
    requestedBy = serializers.CharField(source="requested_by")
    startTime = UTCDateTimeField(source="started_at")
    finishTime = UTCDateTimeField(source="finished_at", allow_null=True)
    durationSeconds = SecondsField(source="duration", allow_null=True)
    stoppedBy = serializers.CharField(source="stopped_by", allow_null=True)
    workers = serializers.IntegerField()
    manifests = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="includes interrupted manifests")


class HoldSerializer(serializers.Serializer[HoldInterval]):
    """An interval in which no refresh could start in a database."""

    database = serializers.CharField()
    reason = serializers.CharField()
    startTime = UTCDateTimeField(source="started_at")
    finishTime = UTCDateTimeField(source="finished_at", allow_null=True)


class RunDetailSerializer(RunSerializer):
    """A run with its holds."""

    holds = serializers.SerializerMethodField()

    def get_holds(self, run: RunTotals) -> list[dict[str, Any]]:  # noqa: ARG002  # DRF passes it
        return [dict(HoldSerializer(hold).data) for hold in self.context["holds"]]

"""Descriptions of the returned documents for the OpenAPI schema.

The functions in services/documents build the documents. A test compares their fields with these.
"""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    DictField,
    FloatField,
    IntegerField,
    JSONField,
    ListField,
    Serializer,
)

from seeder.domain.manifests import ReportType
from seeder.domain.outcomes import Status
from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.domain.snapshots.drift_rules import DifferenceKind, Severity

_SEVERITIES = [*map(str, Severity)]


@extend_schema_field(OpenApiTypes.INT64)
class Int64Field(IntegerField):
    """An integer that may need 64 bits."""


class _ManifestFields(Serializer[Any]):
    id = IntegerField(help_text="id of the manifest, unique within a report type")
    reportType = ChoiceField(choices=[*ReportType])
    reportName = CharField()
    tableName = CharField()
    agencyId = IntegerField()
    agencySlug = CharField()
    errors = CharField(allow_null=True)  # type: ignore[assignment]  # DRF moves fields out of the class
    reason = CharField(allow_null=True)
    sqlstate = CharField(allow_null=True)


class JobSerializer(_ManifestFields):
    """A manifest with the latest status of its view."""

    agencyName = CharField()
    agencySlugs = ListField(child=CharField(), help_text="agencies that share the view, limited to visible ones")
    status = ChoiceField(choices=[*Status], allow_null=True, help_text="null if it has never run")
    startTime = DateTimeField(allow_null=True)
    durationSeconds = IntegerField(allow_null=True)
    consecutiveFailures = IntegerField()
    lastSuccess = DateTimeField(allow_null=True, help_text="start of the last successful refresh")
    lastRunId = CharField(allow_null=True)
    failing = BooleanField(help_text="the last finished refresh failed (also true while a new one runs)")
    stale = BooleanField(help_text="the last success is too long ago, or there is none")
    longRunning = BooleanField()


class HistorySerializer(_ManifestFields):
    """One manifest in one run."""

    runId = CharField()
    status = ChoiceField(choices=[*Status])
    startTime = DateTimeField()
    finishTime = DateTimeField(allow_null=True)
    durationSeconds = IntegerField(allow_null=True)
    recordsProcessed = Int64Field(allow_null=True)
    bytesProcessed = Int64Field(allow_null=True)
    memoryUsageMb = IntegerField(allow_null=True)
    cpuPercentage = IntegerField(allow_null=True)


class RunSerializer(Serializer[Any]):
    """One run, with totals of the manifests that the user may see."""

    runId = CharField()
    status = ChoiceField(choices=[*Status])
    description = CharField()
    requestedBy = CharField()
    startTime = DateTimeField()
    finishTime = DateTimeField(allow_null=True)
    durationSeconds = FloatField(allow_null=True)
    stoppedBy = CharField(allow_null=True)
    workers = IntegerField()
    manifests = IntegerField()
    succeeded = IntegerField()
    failed = IntegerField(help_text="includes interrupted manifests")


class HoldSerializer(Serializer[Any]):
    """An interval in which no refresh could start in a database."""

    database = CharField()
    reason = CharField()
    startTime = DateTimeField()
    finishTime = DateTimeField(allow_null=True)


class RunDetailSerializer(RunSerializer):
    """A run with its holds."""

    holds = HoldSerializer(many=True)


class QueuedPartSerializer(Serializer[Any]):
    """One part of a request. Parts share no views and no dependencies."""

    number = IntegerField()
    state = ChoiceField(choices=[*QueuedPartState])
    agencies = ListField(child=CharField())
    runIds = ListField(child=CharField())


class EnqueueResultSerializer(Serializer[Any]):
    """The result of a request to refresh."""

    requestId = CharField(allow_null=True, help_text="null if there is nothing to refresh")
    url = CharField(allow_null=True)
    description = CharField()
    joined = BooleanField(help_text="true: an earlier request that has not started yet covers this one")
    repeated = BooleanField(help_text="true: this idempotency key was used before for the same request")
    parts = QueuedPartSerializer(many=True)


class RequestPartStatusSerializer(QueuedPartSerializer):
    """The status of one part of a request."""

    startTime = DateTimeField(allow_null=True)
    finishTime = DateTimeField(allow_null=True)
    succeeded = IntegerField(
        allow_null=True,
        help_text="number of manifests; null until the part has ended, or if it includes agencies hidden from the user",
    )
    failed = IntegerField(allow_null=True)
    error = CharField(allow_null=True, help_text="why the part ended before it was completely run")


class RequestStatusSerializer(Serializer[Any]):
    """The status of a request and its parts."""

    requestId = CharField()
    state = ChoiceField(choices=[*QueuedPartState])
    description = CharField()
    requestedBy = CharField()
    requestedAt = DateTimeField()
    parts = RequestPartStatusSerializer(many=True)


class SnapshotReferenceSerializer(Serializer[Any]):
    """The identity of a snapshot."""

    id = Int64Field()
    tableName = CharField()
    releaseTag = CharField()
    releaseVersion = CharField(allow_null=True)
    capturedAt = DateTimeField()


class _SnapshotTotals(SnapshotReferenceSerializer):
    schemaHash = CharField()
    rowCount = Int64Field()
    exact = BooleanField(help_text="false: estimated from a sample")


class SnapshotSummarySerializer(_SnapshotTotals):
    """A snapshot without its columns."""

    columnCount = IntegerField()


class TopValueSerializer(Serializer[Any]):
    value = CharField()
    count = Int64Field()


class ColumnSerializer(Serializer[Any]):
    name = CharField()
    type = CharField()
    nullable = BooleanField()
    nulls = Int64Field(allow_null=True)
    distinct = Int64Field(allow_null=True)
    minimum = CharField(allow_null=True)
    maximum = CharField(allow_null=True)
    exact = BooleanField()
    lacks = CharField(allow_null=True, help_text="what the type does not support: equality or order")
    top = TopValueSerializer(many=True, allow_null=True)


class SnapshotSerializer(_SnapshotTotals):
    """A snapshot with its columns."""

    columns = ColumnSerializer(many=True)


class FindingSerializer(Serializer[Any]):
    """One difference."""

    kind = ChoiceField(choices=[*DifferenceKind])
    column = CharField(allow_null=True)
    base = JSONField(allow_null=True)
    compare = JSONField(allow_null=True)
    absolute = FloatField(allow_null=True)
    relative = FloatField(allow_null=True)
    severity = ChoiceField(choices=_SEVERITIES)
    rule = CharField(allow_null=True)
    exact = BooleanField()


class ComparisonSerializer(Serializer[Any]):
    """The differences between two snapshots, most severe first."""

    base = SnapshotReferenceSerializer()
    compare = SnapshotReferenceSerializer()
    severity = ChoiceField(choices=_SEVERITIES)
    findings = FindingSerializer(many=True)


class CaptureSerializer(Serializer[Any]):
    """A queued capture."""

    tableName = CharField()
    releaseTag = CharField()
    url = CharField(help_text="URL that lists the snapshot once it is captured")


class ErrorSerializer(Serializer[Any]):
    """An error message, and the messages of each invalid parameter."""

    detail = CharField()
    fields = DictField(child=ListField(child=CharField()), required=False)  # type: ignore[assignment]

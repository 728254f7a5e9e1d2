"""Descriptions of the returned documents for the OpenAPI schema.

The functions in services/documents build the documents. A test compares their fields with these.
"""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from seeder.domain.freshness.data_age import UnknownAge
from seeder.domain.manifests import ReportType
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Status
from seeder.domain.snapshots.drift_rules import DifferenceKind, Severity

_SEVERITIES = [*map(str, Severity)]


@extend_schema_field(OpenApiTypes.INT64)
class Int64Field(serializers.IntegerField):
    """An integer that may need 64 bits."""


class ManifestFields(serializers.Serializer[Any]):
    """What identifies a manifest, with its report and agency."""

    id = serializers.IntegerField(help_text="id of the manifest, unique within a report type")
    reportType = serializers.ChoiceField(choices=[*ReportType])
    reportName = serializers.CharField()
    tableName = serializers.CharField()
    agencyId = serializers.IntegerField()
    agencySlug = serializers.CharField()


class _RefreshedManifestFields(ManifestFields):
    errors = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # DRF moves fields out of the class
    reason = serializers.CharField(allow_null=True)
    sqlstate = serializers.CharField(allow_null=True)
    notes = serializers.CharField(allow_null=True, help_text="notes on the result, one on each line")


class AsOfSerializer(serializers.Serializer[Any]):
    """The loads of one table that a view contains."""

    table = serializers.CharField()
    loadId = Int64Field(allow_null=True, help_text="the last committed load that the view contains, null if none")
    loadedAt = serializers.DateTimeField(allow_null=True)
    newerLoads = serializers.IntegerField(help_text="loads and undone loads that the view does not show")
    byTimes = serializers.BooleanField(help_text="true: transaction ids do not tell, so times were compared")


class JobSerializer(_RefreshedManifestFields):
    """A manifest with the latest status of its view."""

    agencyName = serializers.CharField()
    agencySlugs = serializers.ListField(
        child=serializers.CharField(), help_text="agencies that share the view, limited to visible ones"
    )
    status = serializers.ChoiceField(choices=[*Status], allow_null=True, help_text="null if it has never run")
    startTime = serializers.DateTimeField(allow_null=True)
    durationSeconds = serializers.IntegerField(allow_null=True)
    consecutiveFailures = serializers.IntegerField()
    lastSuccess = serializers.DateTimeField(allow_null=True, help_text="start of the last successful refresh")
    lastRunId = serializers.CharField(allow_null=True)
    failing = serializers.BooleanField(help_text="the last finished refresh failed (also true while a new one runs)")
    stale = serializers.BooleanField(
        help_text="misses a contract, or the last success is too long ago, or there is none"
    )
    longRunning = serializers.BooleanField()
    dataAsOf = serializers.DateTimeField(
        allow_null=True, help_text="everything that was visible then is in the view; null if unknown"
    )
    dataAsOfUnknown = serializers.ChoiceField(choices=[*UnknownAge], allow_null=True, help_text="why it is unknown")
    asOf = AsOfSerializer(many=True, help_text="the loads that the view contains, by table; empty if unknown")


class HistorySerializer(_RefreshedManifestFields):
    """One manifest in one run."""

    runId = serializers.CharField()
    status = serializers.ChoiceField(choices=[*Status])
    startTime = serializers.DateTimeField()
    finishTime = serializers.DateTimeField(allow_null=True)
    durationSeconds = serializers.IntegerField(allow_null=True)
    recordsProcessed = Int64Field(allow_null=True)
    bytesProcessed = Int64Field(allow_null=True)
    memoryUsageMb = serializers.IntegerField(allow_null=True)
    cpuPercentage = serializers.IntegerField(allow_null=True)
    mode = serializers.ChoiceField(choices=[*RefreshMode], allow_null=True, help_text="null if created or failed")
    modeReason = serializers.CharField(allow_null=True, help_text="null unless the mode was chosen by measurement")
    consistentGroup = serializers.CharField(allow_null=True, help_text="with which it was refreshed; null if alone")
    rowsInserted = Int64Field(allow_null=True, help_text="a plain refresh inserts all rows")
    rowsDeleted = Int64Field(allow_null=True)
    rowsUnchanged = Int64Field(allow_null=True, help_text="null if unknown, as after a plain refresh")


class GroupMemberSerializer(serializers.Serializer[Any]):
    """How one member of a consistent group ended."""

    view = serializers.CharField()
    status = serializers.ChoiceField(choices=[*Status])
    reason = serializers.CharField(allow_null=True)


class GroupSerializer(serializers.Serializer[Any]):
    """How a consistent group ended in a run. Members that succeeded became visible together."""

    name = serializers.CharField()
    members = GroupMemberSerializer(many=True)
    hiddenMembers = serializers.IntegerField(help_text="members of agencies that the user may not see")
    attempts = serializers.IntegerField(allow_null=True)
    lockWaitSeconds = serializers.FloatField(allow_null=True)
    publishedAt = serializers.DateTimeField(allow_null=True, help_text="null if no member was published")
    text = serializers.CharField(help_text="the same as sentences")


class RunSerializer(serializers.Serializer[Any]):
    """One run, with totals of the manifests that the user may see."""

    runId = serializers.CharField()
    status = serializers.ChoiceField(choices=[*Status])
    description = serializers.CharField()
    requestedBy = serializers.CharField()
    startTime = serializers.DateTimeField()
    finishTime = serializers.DateTimeField(allow_null=True)
    durationSeconds = serializers.FloatField(allow_null=True)
    stoppedBy = serializers.CharField(allow_null=True)
    workers = serializers.IntegerField()
    manifests = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="includes held manifests, and no interrupted ones")
    held = serializers.IntegerField(help_text="manifests whose views data checks held")
    interrupted = serializers.IntegerField(help_text="manifests whose views the run did not finish")


class CancelledRunSerializer(RunSerializer):
    """A run after its cancellation."""

    url = serializers.CharField()


class HoldSerializer(serializers.Serializer[Any]):
    """An interval in which no refresh could start in a database."""

    database = serializers.CharField()
    reason = serializers.CharField()
    startTime = serializers.DateTimeField()
    finishTime = serializers.DateTimeField(allow_null=True)


class RunDetailSerializer(RunSerializer):
    """A run with its holds and consistent groups."""

    holds = HoldSerializer(many=True)
    groups = GroupSerializer(many=True, help_text="consistent groups that ended, with members that the user may see")


class SnapshotReferenceSerializer(serializers.Serializer[Any]):
    """The identity of a snapshot."""

    id = Int64Field()
    tableName = serializers.CharField()
    releaseTag = serializers.CharField()
    releaseVersion = serializers.CharField(allow_null=True)
    capturedAt = serializers.DateTimeField()


class _SnapshotTotals(SnapshotReferenceSerializer):
    schemaHash = serializers.CharField()
    rowCount = Int64Field()
    exact = serializers.BooleanField(help_text="false: estimated from a sample")


class SnapshotSummarySerializer(_SnapshotTotals):
    """A snapshot without its columns."""

    columnCount = serializers.IntegerField()


class TopValueSerializer(serializers.Serializer[Any]):
    value = serializers.CharField()
    count = Int64Field()


class ColumnSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    type = serializers.CharField()
    nullable = serializers.BooleanField()
    nulls = Int64Field(allow_null=True)
    distinct = Int64Field(allow_null=True)
    minimum = serializers.CharField(allow_null=True)
    maximum = serializers.CharField(allow_null=True)
    exact = serializers.BooleanField()
    lacks = serializers.CharField(allow_null=True, help_text="what the type does not support: equality or order")
    top = TopValueSerializer(many=True, allow_null=True)


class SnapshotSerializer(_SnapshotTotals):
    """A snapshot with its columns."""

    columns = ColumnSerializer(many=True)


class FindingSerializer(serializers.Serializer[Any]):
    """One difference."""

    kind = serializers.ChoiceField(choices=[*DifferenceKind])
    column = serializers.CharField(allow_null=True)
    base = serializers.JSONField(allow_null=True)
    compare = serializers.JSONField(allow_null=True)
    absolute = serializers.FloatField(allow_null=True)
    relative = serializers.FloatField(allow_null=True)
    severity = serializers.ChoiceField(choices=_SEVERITIES)
    rule = serializers.CharField(allow_null=True)
    exact = serializers.BooleanField()


class ComparisonSerializer(serializers.Serializer[Any]):
    """The differences between two snapshots, most severe first."""

    base = SnapshotReferenceSerializer()
    compare = SnapshotReferenceSerializer()
    severity = serializers.ChoiceField(choices=_SEVERITIES)
    findings = FindingSerializer(many=True)


class CaptureSerializer(serializers.Serializer[Any]):
    """A queued capture."""

    tableName = serializers.CharField()
    releaseTag = serializers.CharField()
    url = serializers.CharField(help_text="URL that lists the snapshot once it is captured")


class ProblemSerializer(serializers.Serializer[Any]):
    """Why a request was not answered as asked: problem details as in RFC 9457."""

    type = serializers.URLField(help_text="description of the code")
    title = serializers.CharField()
    status = serializers.IntegerField(help_text="the HTTP status")
    code = serializers.CharField(help_text="stable word for programs")
    detail = serializers.CharField(help_text="what happened, to what, and what to do next")
    instance = serializers.CharField(help_text="path of the request")
    requestId = serializers.CharField(help_text="id of the request in the log, as in the header `X-Request-ID`")
    fields = serializers.DictField(  # type: ignore[assignment]  # DRF moves fields out of the class
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="the messages of each invalid parameter",
    )

"""Serializers of release snapshots and comparisons.

They describe the JSON of domain/snapshots/snapshot_json.py for the schema.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from seeder.api.serializers import Int64Field, UTCDateTimeField
from seeder.domain.snapshots.drift_rules import DifferenceKind, Severity


class SnapshotReferenceSerializer(serializers.Serializer[Any]):
    """The identity of a snapshot."""

    id = Int64Field()
    tableName = serializers.CharField()
    releaseTag = serializers.CharField()
    releaseVersion = serializers.CharField(allow_null=True)
    capturedAt = UTCDateTimeField()


class SnapshotSummarySerializer(serializers.Serializer[Any]):
    """A snapshot without its columns."""

    id = Int64Field()
    tableName = serializers.CharField(source="table_name")
    releaseTag = serializers.CharField(source="release_tag")
    releaseVersion = serializers.CharField(source="release_version", allow_null=True)
    capturedAt = UTCDateTimeField(source="captured_at")
    schemaHash = serializers.CharField(source="schema_hash")
    rowCount = Int64Field(source="row_count")
    columnCount = serializers.IntegerField(source="column_count")
    exact = serializers.BooleanField(help_text="false: estimated from a sample")


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


class SnapshotSerializer(SnapshotReferenceSerializer):
    """A snapshot with its columns."""

    schemaHash = serializers.CharField()
    rowCount = Int64Field()
    exact = serializers.BooleanField(help_text="false: estimated from a sample")
    columns = ColumnSerializer(many=True)


class FindingSerializer(serializers.Serializer[Any]):
    """One difference."""

    kind = serializers.ChoiceField(choices=[*map(str, DifferenceKind)])
    column = serializers.CharField(allow_null=True)
    base = serializers.JSONField(allow_null=True)
    compare = serializers.JSONField(allow_null=True)
    absolute = serializers.FloatField(allow_null=True)
    relative = serializers.FloatField(allow_null=True)
    severity = serializers.ChoiceField(choices=[*map(str, Severity)])
    rule = serializers.CharField(allow_null=True)
    exact = serializers.BooleanField()


class ComparisonSerializer(serializers.Serializer[Any]):
    """The differences between two snapshots, most severe first."""

    base = SnapshotReferenceSerializer()
    compare = SnapshotReferenceSerializer()
    severity = serializers.ChoiceField(choices=[*map(str, Severity)])
    findings = FindingSerializer(many=True)


class CaptureSerializer(serializers.Serializer[Mapping[str, Any]]):
    """A queued capture."""

    tableName = serializers.CharField()
    releaseTag = serializers.CharField()
    url = serializers.CharField(help_text="URL that lists the snapshot once it is captured")

"""Query parameters and request bodies.

Unknown parameters are rejected, so that a typo never returns unfiltered data.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from seeder.api.cursor_text import decode_cursor
from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import SortKey
from seeder.domain.outcomes import Status
from seeder.domain.plain_numbers import parse_whole_number
from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.domain.snapshots.snapshot_contents import MAX_TAG_LENGTH
from seeder.domain.view_names import ViewName
from seeder.errors import BadName

_MAX_NAME_LENGTH = 300  # characters: two identifiers of 63 bytes, with doubled quotes


class StrictInputSerializer(serializers.Serializer[Any]):
    """Reject parameters that the serializer does not declare."""

    def to_internal_value(self, data: Any) -> Any:
        allowed = [str(field.field_name) for field in self._writable_fields]
        unknown = sorted(set(data) - set(allowed)) if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError(
                {name: [f"Unknown parameter. Allowed: {', '.join(allowed) or 'none'}."] for name in unknown}
            )
        return super().to_internal_value(data)


class StrictCharField(serializers.CharField):
    """A string field that rejects numbers.

    DRF would turn the release 2026.10 into 2026.1.
    """

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class DigitsField(serializers.IntegerField):
    """A number in plain digits. DRF also accepts 1.0, +1, 1_0 and digits of other scripts."""

    def to_internal_value(self, data: Any) -> int:
        try:
            return parse_whole_number(str(data))
        except ValueError:
            self.fail("invalid")


class ViewNameField(StrictCharField):
    """The name of a view in any spelling, normalized."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=_MAX_NAME_LENGTH, **options)

    def to_internal_value(self, data: Any) -> str:
        try:
            return str(ViewName.parse(super().to_internal_value(data)))
        except BadName as error:
            raise serializers.ValidationError(str(error)) from error


class CommaSeparatedField(serializers.ListField):
    """Distinct values separated by commas, such as `error,running`, each validated by `child`.

    The schema describes it as an array in the form style without `explode`.
    """

    def __init__(self, child: serializers.Field[Any, Any, Any, Any], *, max_length: int = 100, **options: Any) -> None:
        super().__init__(child=child, max_length=max_length, **options)

    def to_internal_value(self, data: Any) -> list[Any]:
        return list(dict.fromkeys(super().to_internal_value(str(data).split(","))))


class PageSizeSerializer(StrictInputSerializer):
    pageSize = DigitsField(source="size", min_value=1, max_value=200, default=50, help_text="rows per page")


class CursorQuerySerializer(PageSizeSerializer):
    """Parameters of a cursor page. Its cursor has a time and a number unless a subclass says otherwise."""

    has_numeric_key, has_time = True, True
    cursor = serializers.CharField(
        required=False,
        max_length=_MAX_NAME_LENGTH,
        help_text="cursor from `next` or `previous` of another page (default: the first page)",
    )

    def validate_cursor(self, value: str) -> Any:
        cursor = decode_cursor(value, is_numeric=self.has_numeric_key, has_time=self.has_time)
        if cursor is None:
            raise serializers.ValidationError("Invalid cursor. Use the one from `next` or `previous` of another page.")
        return cursor


def _agencies() -> CommaSeparatedField:
    slug = serializers.CharField(max_length=_MAX_NAME_LENGTH)
    return CommaSeparatedField(slug, source="agencies", required=False, help_text="slugs of agencies")


class JobQuerySerializer(PageSizeSerializer):
    page = DigitsField(min_value=1, max_value=10**6, default=1)
    agency = serializers.CharField(required=False, max_length=_MAX_NAME_LENGTH, help_text="slug of the agency")
    reportType = serializers.ChoiceField(source="report_type", required=False, choices=[*ReportType])
    status = serializers.ChoiceField(required=False, choices=[*Status])
    failing = serializers.BooleanField(
        required=False, help_text="jobs whose last finished refresh failed (false: the others)"
    )
    longRunning = serializers.BooleanField(
        source="long_running",
        required=False,
        help_text="jobs that have been running for a multiple of their usual duration (false: the others)",
    )
    stale = serializers.BooleanField(
        required=False, help_text="jobs whose last success is too long ago (false: the others)"
    )
    search = serializers.CharField(
        required=False, max_length=_MAX_NAME_LENGTH, help_text="part of the table name or the report name"
    )
    ordering = serializers.ChoiceField(
        choices=[sign + order for order in SortKey for sign in ("", "-")],
        default=str(SortKey.ATTENTION),
        help_text="sort key; `-` reverses it. `attention` (default): long-running jobs first, then failing ones",
    )


class RunQuerySerializer(CursorQuerySerializer):
    has_numeric_key = False
    agency = serializers.CharField(required=False, max_length=_MAX_NAME_LENGTH, help_text="slug of the agency")


class RequestQuerySerializer(CursorQuerySerializer):
    state = CommaSeparatedField(
        serializers.ChoiceField(choices=[*QueuedPartState]), source="states", required=False, help_text="states"
    )
    agency = _agencies()


class SnapshotQuerySerializer(CursorQuerySerializer):
    tableName = ViewNameField(source="table_name", required=False, help_text="name of the view, in any spelling")
    releaseTag = serializers.CharField(source="release_tag", required=False, max_length=MAX_TAG_LENGTH)


class ComparisonQuerySerializer(StrictInputSerializer):
    base = DigitsField(min_value=1, max_value=2**63 - 1, help_text="id of the earlier snapshot")
    compare = DigitsField(min_value=1, max_value=2**63 - 1, help_text="id of the later snapshot")
    acrossViews = serializers.BooleanField(
        source="across_views", default=False, help_text="allow snapshots of two different views (default: false)"
    )


class CaptureRequestSerializer(StrictInputSerializer):
    """The view to capture and the release tag to store it under."""

    tableName = ViewNameField(source="table_name")
    releaseTag = StrictCharField(source="release_tag", max_length=MAX_TAG_LENGTH)
    releaseVersion = StrictCharField(
        source="release_version", max_length=MAX_TAG_LENGTH, required=False, allow_null=True
    )
    topValuesColumns = serializers.ListField(
        source="top_values_columns",
        child=StrictCharField(max_length=_MAX_NAME_LENGTH),
        max_length=1600,  # PostgreSQL's limit of columns
        required=False,
        help_text="columns whose most frequent values are recorded (default: none)",
    )
    approximate = serializers.BooleanField(default=False, help_text="estimate from a sample (default: count exactly)")

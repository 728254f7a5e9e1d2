"""What can be asked: the parameters of addresses and the bodies of calls. What is unknown or unreadable is refused, or
a slip of the pen would mean everything."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from seeder.api.pagination import CURSOR_SOURCE, decode_cursor
from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import JobPageRequest, SortKey
from seeder.domain.outcomes import Status
from seeder.domain.snapshots.snapshot_contents import MAX_TAG_LENGTH
from seeder.domain.view_names import ViewName
from seeder.errors import BadName

DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 50, 200
_MAX_PAGE = 10**6
_MAX_NAME_LENGTH = 300  # characters of a name: two identifiers of 63 bytes, their quotes doubled


class StrictInputSerializer(serializers.Serializer[Any]):
    """Parameters by name."""

    def to_internal_value(self, data: Any) -> Any:
        allowed = [str(field.field_name) for field in self._writable_fields]
        unknown = sorted(set(data) - set(allowed)) if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError(
                {name: [f"Not known here. Known are: {', '.join(allowed) or 'none'}."] for name in unknown}
            )
        return super().to_internal_value(data)


class PageQuerySerializer(StrictInputSerializer):
    page = serializers.IntegerField(min_value=1, max_value=_MAX_PAGE, default=1)
    pageSize = serializers.IntegerField(
        source="size", min_value=1, max_value=MAX_PAGE_SIZE, default=DEFAULT_PAGE_SIZE, help_text="rows of a page"
    )


class CursorQuerySerializer(StrictInputSerializer):
    after = serializers.CharField(
        required=False,
        max_length=_MAX_NAME_LENGTH,
        help_text="where the slice begins, as `next` of the one before has it",
    )
    pageSize = serializers.IntegerField(
        source="size", min_value=1, max_value=MAX_PAGE_SIZE, default=DEFAULT_PAGE_SIZE, help_text="rows of a slice"
    )

    def validate_after(self, value: str) -> Any:
        cursor = decode_cursor(value)
        if cursor is None:
            raise serializers.ValidationError(f"No place in this list. Take it from {CURSOR_SOURCE}.")
        return cursor


class JobQuerySerializer(PageQuerySerializer):
    agency = serializers.CharField(required=False, max_length=_MAX_NAME_LENGTH, help_text="its slug")
    reportType = serializers.ChoiceField(source="report_type", required=False, choices=[*map(str, ReportType)])
    status = serializers.ChoiceField(required=False, choices=[*map(str, Status)])
    failing = serializers.BooleanField(required=False, help_text="whether it failed last")
    longRunning = serializers.BooleanField(
        source="long_running", required=False, help_text="whether it runs for longer than a multiple of its usual time"
    )
    stale = serializers.BooleanField(required=False, help_text="whether its last success is too long ago")
    search = serializers.CharField(
        required=False, max_length=_MAX_NAME_LENGTH, help_text="part of the table's or the report's name"
    )
    ordering = serializers.ChoiceField(
        choices=[sign + order for order in SortKey for sign in ("", "-")],
        default=str(SortKey.ATTENTION),
        help_text="by what; with `-` the other way round. `attention`: what runs too long first, then what fails",
    )

    def validate_reportType(self, value: str) -> ReportType:  # noqa: N802  # the framework derives it from the field
        return ReportType(value)

    def validate_status(self, value: str) -> Status:
        return Status(value)


def job_page_request(ordering: str, page: int, size: int) -> JobPageRequest:
    order, is_reversed = SortKey(ordering.lstrip("-")), ordering.startswith("-")
    # What needs attention most is a descending order, which is nothing that anybody should have to know.
    return JobPageRequest(
        sort_key=order, descending=is_reversed != (order is SortKey.ATTENTION), limit=size, offset=(page - 1) * size
    )


class RunQuerySerializer(CursorQuerySerializer):
    agency = serializers.CharField(required=False, max_length=_MAX_NAME_LENGTH, help_text="its slug")


def parse_view_name(value: str) -> ViewName:
    try:
        return ViewName.parse(value)
    except BadName as error:
        raise serializers.ValidationError(str(error)) from error


class SnapshotQuerySerializer(CursorQuerySerializer):
    tableName = serializers.CharField(
        source="table", required=False, max_length=_MAX_NAME_LENGTH, help_text="in any spelling"
    )
    releaseTag = serializers.CharField(source="tag", required=False, max_length=MAX_TAG_LENGTH)

    def validate_tableName(self, value: str) -> str:  # noqa: N802
        return str(parse_view_name(value))


class ComparisonQuerySerializer(StrictInputSerializer):
    base = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="id of the earlier snapshot")
    compare = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="id of the later one")
    acrossViews = serializers.BooleanField(
        source="across_views", default=False, help_text="also where they are of two different views"
    )


class StrictCharField(serializers.CharField):
    """In a body, where the framework would take numbers as well: the release 2026.10 would be 2026.1."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class CaptureRequestSerializer(StrictInputSerializer):
    """Which view to record under which release."""

    tableName = StrictCharField(source="table_name", max_length=_MAX_NAME_LENGTH)
    releaseTag = StrictCharField(source="release_tag", max_length=MAX_TAG_LENGTH)
    releaseVersion = StrictCharField(
        source="release_version", max_length=MAX_TAG_LENGTH, required=False, allow_null=True
    )
    topValuesColumns = serializers.ListField(
        source="top_values_columns",
        child=StrictCharField(max_length=_MAX_NAME_LENGTH),
        max_length=1600,  # columns that a view can have
        required=False,
        help_text="columns whose most frequent values are to be recorded",
    )
    approximate = serializers.BooleanField(default=False, help_text="estimate from a sample")

    def validate_tableName(self, value: str) -> str:  # noqa: N802
        return str(parse_view_name(value))

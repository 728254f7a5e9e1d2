"""Query parameters and request bodies.

Unknown parameters are rejected, so that a typo never returns unfiltered data.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from django.utils.translation import gettext, gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from seeder.api.cursor_text import decode_cursor
from seeder.api.job_cursor_text import decode_job_cursor
from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import SortKey
from seeder.domain.outcomes import Status
from seeder.domain.plain_numbers import parse_whole_number
from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.domain.snapshots.snapshot_contents import MAX_TAG_LENGTH
from seeder.domain.view_names import ViewName
from seeder.errors import BadName
from seeder.services.read_models.row_filters import RowFilter
from seeder.services.translation import translated
from seeder.texts import Text

MAX_PAGE_SIZE = 100  # rows
_MAX_NAME_LENGTH = 300  # characters: two identifiers of 63 bytes, with doubled quotes
_MAX_CURSOR_LENGTH = 10_000  # characters; the cursor of a job has its names
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
INVALID_CURSOR = gettext_lazy("Invalid cursor. Use the one from `next` or `previous` of another page.")


def unknown_parameter_text(allowed: Sequence[str]) -> str:
    if not allowed:
        return gettext("Unknown parameter. Allowed: none.")
    return translated(Text("Unknown parameter. Allowed: {names}.", names=", ".join(allowed)))


class StrictInputSerializer(serializers.Serializer[Any]):
    """Reject parameters that the serializer does not declare."""

    def to_internal_value(self, data: Any) -> Any:
        allowed = [str(field.field_name) for field in self._writable_fields]
        unknown = sorted(set(data) - set(allowed)) if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError({name: [unknown_parameter_text(allowed)] for name in unknown})
        return super().to_internal_value(data)


class StrictCharField(serializers.CharField):
    """A string field that rejects numbers.

    DRF would turn the release 2026.10 into 2026.1.
    """

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """A JSON boolean. DRF would also read texts and numbers."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return bool(super().to_internal_value(data))


class DigitsField(serializers.IntegerField):
    """A number in plain digits. DRF also accepts 1.0, +1, 1_0 and digits of other scripts."""

    def to_internal_value(self, data: Any) -> int:
        try:
            return parse_whole_number(str(data))
        except ValueError:
            self.fail("invalid")


class ForceOptionSerializer(StrictInputSerializer):
    force = StrictBooleanField(
        default=False, help_text="refresh views even if their inputs are proved to be unchanged (default: false)"
    )


class ViewNameField(StrictCharField):
    """The name of a view in any spelling, normalized."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=_MAX_NAME_LENGTH, **options)

    def to_internal_value(self, data: Any) -> str:
        try:
            return str(ViewName.parse(super().to_internal_value(data)))
        except BadName as error:
            raise serializers.ValidationError(translated(error)) from error


class CommaSeparatedField(serializers.ListField):
    """Distinct values separated by commas, such as `error,running`, each validated by `child`.

    The schema describes it as an array in the form style without `explode`.
    """

    def __init__(self, child: serializers.Field[Any, Any, Any, Any], *, max_length: int = 100, **options: Any) -> None:
        super().__init__(child=child, max_length=max_length, **options)
        self._max_values = max_length

    def to_internal_value(self, data: Any) -> list[Any]:
        values = str(data).split(",")
        if len(values) > self._max_values:  # the validator would count distinct values
            self.fail("max_length", max_length=self._max_values)
        return list(dict.fromkeys(super().to_internal_value(values)))


@extend_schema_field({"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]})
class InstantField(serializers.Field[datetime, str, str, Any]):
    """An instant with its offset, or a date, which is its midnight in UTC, as in ISO 8601."""

    default_error_messages = {
        "invalid": gettext_lazy(
            "Give a date such as 2026-11-21, or an instant with an offset such as 2026-11-21T18:30:00Z."
            " In a URL, write + as %2B."
        )
    }

    def to_internal_value(self, data: Any) -> datetime:
        try:
            return _parse_instant(str(data))
        except (ValueError, OverflowError):  # OverflowError: year 1 in an eastern time zone
            self.fail("invalid")

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


def _parse_instant(text: str) -> datetime:
    if _DATE.fullmatch(text):
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(text)
    return instant.astimezone(UTC)


class PageSizeSerializer(StrictInputSerializer):
    pageSize = DigitsField(source="size", min_value=1, max_value=MAX_PAGE_SIZE, default=50, help_text="rows per page")


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
            raise serializers.ValidationError(INVALID_CURSOR)
        return cursor


def agencies_field() -> CommaSeparatedField:
    slug = serializers.CharField(max_length=_MAX_NAME_LENGTH)
    return CommaSeparatedField(slug, source="agencies", required=False, help_text="slugs of agencies")


def report_types_field() -> CommaSeparatedField:
    return CommaSeparatedField(serializers.ChoiceField(choices=[*ReportType]), source="report_types", required=False)


def _statuses(*statuses: Status) -> CommaSeparatedField:
    return CommaSeparatedField(serializers.ChoiceField(choices=statuses), source="statuses", required=False)


class JobQuerySerializer(PageSizeSerializer):
    cursor = serializers.CharField(
        required=False,
        max_length=_MAX_CURSOR_LENGTH,
        help_text="cursor from `next` or `previous` of another page with the same `ordering` (default: the first page)",
    )
    agency = agencies_field()
    reportType = report_types_field()
    status = _statuses(*Status)
    failing = serializers.BooleanField(
        required=False, help_text="jobs whose last finished refresh failed (false: the others)"
    )
    longRunning = serializers.BooleanField(
        source="long_running",
        required=False,
        help_text="jobs that have been running for a multiple of their usual duration (false: the others)",
    )
    stale = serializers.BooleanField(
        required=False, help_text="jobs that miss a contract, or whose last success is too long ago (false: the others)"
    )
    search = serializers.CharField(
        required=False, max_length=_MAX_NAME_LENGTH, help_text="part of the table name or the report name"
    )
    ordering = serializers.ChoiceField(
        choices=[sign + order for order in SortKey for sign in ("", "-")],
        default=str(SortKey.ATTENTION),
        help_text="sort key; `-` reverses it. `attention` (default): long-running jobs first, then failing ones",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "cursor" in attrs:
            attrs["cursor"] = decode_job_cursor(attrs["cursor"], attrs["ordering"])
            if attrs["cursor"] is None:
                raise serializers.ValidationError({"cursor": [INVALID_CURSOR]})
        return attrs


def with_filter(attrs: dict[str, Any], filter_class: type[Any], *, start: str, end: str) -> dict[str, Any]:
    """Add a `filter` of those parameters that are fields of its dataclass.

    Raises `ValidationError` if the period between the two named instants is empty.
    """
    if attrs.get(start) is not None and attrs.get(end) is not None and attrs[start] >= attrs[end]:
        raise serializers.ValidationError({"dateTo": [gettext("Must be after dateFrom.")]})
    names = {one.name for one in dataclasses.fields(filter_class)}
    return {**attrs, "filter": filter_class(**{name: attrs[name] for name in names & attrs.keys()})}


class RowQuerySerializer(CursorQuerySerializer):
    """Parameters of a cursor page of rows that started within a period. Adds their `filter`."""

    dateFrom = InstantField(source="started_from", required=False, help_text="started at this time or later")
    dateTo = InstantField(source="started_before", required=False, help_text="started before this time")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return with_filter(attrs, RowFilter, start="started_from", end="started_before")


class JobHistoryQuerySerializer(RowQuerySerializer):
    status = _statuses(*Status)


class RunHistoryQuerySerializer(RowQuerySerializer):
    status = _statuses(*Status)
    agency = agencies_field()
    reportType = report_types_field()


class RunQuerySerializer(RowQuerySerializer):
    has_numeric_key = False
    agency = agencies_field()
    status = _statuses(Status.RUNNING, Status.SUCCESS, Status.ERROR)
    requestedBy = serializers.CharField(
        source="requested_by", required=False, max_length=_MAX_NAME_LENGTH, help_text="a command, a schedule or a user"
    )


class AgencyQuerySerializer(CursorQuerySerializer):
    has_numeric_key, has_time = False, False


class RequestQuerySerializer(CursorQuerySerializer):
    status = CommaSeparatedField(serializers.ChoiceField(choices=[*QueuedPartState]), source="states", required=False)
    agency = agencies_field()


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

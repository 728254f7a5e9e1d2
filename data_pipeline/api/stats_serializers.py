"""Parameters and documents of statistics and scores for the OpenAPI schema."""

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers

from seeder.api.cursor_text import decode_values
from seeder.api.document_serializers import AsOfSerializer
from seeder.api.input_serializers import INVALID_CURSOR, MAX_PAGE_SIZE, DigitsField, StrictInputSerializer
from seeder.domain.view_names import is_storable_text

_MAX_IDS, _MAX_ID_LENGTH = 500, 200
_MAX_CURSOR_LENGTH, _MAX_OFFSET = 100, 2**62

FILTER_PARAMETERS = OpenApiParameter(
    "filters",
    {"type": "object", "additionalProperties": {"type": "string"}},
    OpenApiParameter.QUERY,
    style="form",
    explode=True,
    description="a parameter for each column of the view, with accepted values separated by commas",
)


class StatisticQuerySerializer(serializers.Serializer[Any]):
    """Parameters of a page. All others are filters, which are compared with the columns of the view."""

    date_from = serializers.DateField(required=False, help_text="first day (default: `STATS_MAX_DAYS` before the last)")
    date_to = serializers.DateField(required=False, help_text="last day (default: today)")
    cursor = serializers.CharField(
        required=False,
        max_length=_MAX_CURSOR_LENGTH,
        help_text="cursor from `next` or `previous` of another page (default: the first page)",
    )
    pageSize = DigitsField(
        source="page_size", min_value=1, max_value=MAX_PAGE_SIZE, default=50, help_text="rows per page"
    )

    def validate_cursor(self, value: str) -> tuple[str, int]:
        match decode_values(value):
            case [str(version), int(offset)] if 0 <= offset <= _MAX_OFFSET and not isinstance(offset, bool):
                return version, offset
        raise serializers.ValidationError(INVALID_CURSOR)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        filters = {name: text for name, text in data.items() if name not in self.fields}
        return {**super().to_internal_value(data), "filters": filters}


@extend_schema_field({"oneOf": [{"type": "string", "minLength": 1, "maxLength": _MAX_ID_LENGTH}, {"type": "integer"}]})
class IdField(serializers.Field[str, Any, str, Any]):
    """A text, or a whole number."""

    default_error_messages = {
        "invalid": format_lazy(
            gettext_lazy("An id is a text of 1 to {number} characters, or a whole number."), number=_MAX_ID_LENGTH
        ),
    }

    def to_internal_value(self, data: Any) -> str:
        text = str(data) if isinstance(data, str | int) and not isinstance(data, bool) else ""
        if not 0 < len(text) <= _MAX_ID_LENGTH or not is_storable_text(text):
            self.fail("invalid")
        return text


class ScoreRequestSerializer(StrictInputSerializer):
    """The ids to score."""

    ids = serializers.ListField(
        child=IdField(),
        min_length=1,
        max_length=_MAX_IDS,
        help_text="values of the first column of `SCORE_ID_COLUMNS` that the view has",
    )


class RelationAsOfSerializer(serializers.Serializer[Any]):
    """As of when the rows are."""

    refreshedAt = serializers.DateTimeField(
        allow_null=True, help_text="start of the last refresh; null for tables, plain views and unknown refreshes"
    )
    stale = serializers.BooleanField(help_text="a materialized view whose last refresh is too long ago, or unknown")
    tables = AsOfSerializer(many=True, help_text="the loads of each table that the rows contain")


class StatsColumnSerializer(serializers.Serializer[Any]):
    """A column of the view."""

    name = serializers.CharField()
    type = serializers.CharField(help_text="type in PostgreSQL")


class PeriodSerializer(serializers.Serializer[Any]):
    """The days of the rows. Both ends are included."""

    column = serializers.CharField(help_text="column that the days limit")
    requestedFrom = serializers.DateField(allow_null=True)
    requestedTo = serializers.DateField(allow_null=True)
    to = serializers.DateField()
    clamped = serializers.BooleanField(help_text="the answer begins later than requested")

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": serializers.DateField()}  # a reserved word


class _RowsSerializer(serializers.Serializer[Any]):
    view = serializers.CharField()
    asOf = RelationAsOfSerializer()
    columns = StatsColumnSerializer(many=True)
    results = serializers.ListField(
        child=serializers.DictField(),
        help_text="values by column: a number, boolean or text if JSON has the type, otherwise PostgreSQL's text",
    )


class StatisticSerializer(_RowsSerializer):
    """A page of a statistic."""

    name = serializers.CharField()
    period = PeriodSerializer(allow_null=True, help_text="null if the view has no column of dates")
    next = serializers.CharField(allow_null=True, help_text="URL of the next page, null on the last")
    previous = serializers.CharField(allow_null=True, help_text="URL of the previous page, null on the first")


class ScoreSerializer(_RowsSerializer):
    """The rows of the requested ids, in the order of the ids."""

    idColumn = serializers.CharField()
    notFound = serializers.ListField(child=serializers.CharField(), help_text="ids without a row")

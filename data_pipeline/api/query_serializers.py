"""Query parameters of the lists of loads and requests."""

from typing import Any

from rest_framework import serializers

from data_pipeline.domain.load_requests import RequestAction, RequestStatus
from data_pipeline.services.load_listing import STATUS_CONDITIONS, LoadFilter
from data_pipeline.services.request_listing import CONDITIONS
from seeder.api.input_serializers import (
    CommaSeparatedField,
    CursorQuerySerializer,
    InstantField,
    ViewNameField,
    with_filter,
)

_MAX_SOURCE_LENGTH = 128  # characters
_MAX_USER_LENGTH = 150  # of Django's users


class LoadQuerySerializer(CursorQuerySerializer):
    """Which loads are listed."""

    status = CommaSeparatedField(
        serializers.ChoiceField(choices=[*STATUS_CONDITIONS]),
        source="statuses",
        default=(),
        help_text="one or several, separated by commas; `failed` has no undone loads (default: all)",
    )
    table = ViewNameField(required=False, help_text="name of the loaded table, in any spelling")
    source = serializers.CharField(  # type: ignore[assignment]  # DRF moves fields out of the class
        required=False, max_length=_MAX_SOURCE_LENGTH, help_text="such as `ingest.load_file`"
    )
    requestedBy = serializers.CharField(
        source="requested_by", required=False, max_length=_MAX_USER_LENGTH, help_text="name of a user"
    )
    dateFrom = InstantField(source="created_from", required=False, help_text="created at this time or later")
    dateTo = InstantField(source="created_before", required=False, help_text="created before this time")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return with_filter(attrs, LoadFilter, start="created_from", end="created_before")


class RequestQuerySerializer(CursorQuerySerializer):
    """Which requests are listed."""

    has_time = False
    status = CommaSeparatedField(
        serializers.ChoiceField(choices=[*CONDITIONS]),
        source="statuses",
        default=(),
        help_text=f"one or several, separated by commas; `{RequestStatus.LOST}` ones are `running` (default: all)",
    )
    action = serializers.ChoiceField(required=False, choices=[*RequestAction])

"""Query parameters of the lists of loads and requests."""

from datetime import date
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from rest_framework import serializers

from data_pipeline.domain.load_requests import RequestAction, RequestStatus
from data_pipeline.services.load_listing import STATUS_CONDITIONS
from data_pipeline.services.request_listing import CONDITIONS
from seeder.api.input_serializers import CommaSeparatedField, CursorQuerySerializer, ViewNameField

_MAX_SOURCE_LENGTH = 128  # characters
_MAX_USER_LENGTH = 150  # of Django's users


class DayField(serializers.DateField):
    """A day such as 2026-11-30, whose end is a date too."""

    default_validators = [MinValueValidator(date(1970, 1, 1)), MaxValueValidator(date(9998, 12, 31))]


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
    dateFrom = DayField(
        source="first_day", required=False, help_text="first day of creation, in the time zone of the server"
    )
    dateTo = DayField(source="last_day", required=False, help_text="last day of creation, inclusive")

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if "first_day" in values and "last_day" in values and values["first_day"] > values["last_day"]:
            raise serializers.ValidationError({"dateTo": ["Must not be before dateFrom."]})
        return values


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

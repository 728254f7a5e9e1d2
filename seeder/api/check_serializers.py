"""Query parameters, request bodies and documents of the endpoints for data checks."""

from typing import Any

from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from seeder.api.document_serializers import Int64Field
from seeder.api.input_serializers import (
    CursorQuerySerializer,
    StrictBooleanField,
    StrictCharField,
    StrictInputSerializer,
)
from seeder.domain.data_checks.definitions import MAX_NAME_LENGTH, MAX_TOLERATED_ROWS
from seeder.domain.data_checks.results import CheckOutcome, CheckSeverity
from seeder.domain.data_checks.rules import CheckKind
from seeder.domain.outcomes import Status
from seeder.services.data_checks.waivers import DEFAULT_HOURS, MAX_HOURS, WaiverDecision

_MAX_TEXT_LENGTH = 50_000  # characters of SQL, as of a manifest
_MAX_VALUES = 1000


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "number"}]})
class ScalarField(serializers.Field[Any, Any, Any, Any]):
    """A text or a number of JSON."""

    default_error_messages = {"invalid": gettext_lazy("Must be a text or a number.")}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, str | int | float):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class StrictFloatField(serializers.FloatField):
    """A JSON number. DRF would also read texts and booleans."""

    def to_internal_value(self, data: Any) -> float:
        if type(data) not in {int, float}:
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictWholeNumberField(serializers.IntegerField):
    """A whole number of JSON. DRF would also read texts and fractions."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return int(super().to_internal_value(data))


def _names() -> serializers.ListField:
    return serializers.ListField(child=StrictCharField(), max_length=_MAX_VALUES, required=False)


class CheckArgumentsSerializer(StrictInputSerializer):
    """The arguments of a kind, as in a file of checks, with names in camel case. Which ones, depends on the kind."""

    min = ScalarField(required=False, help_text="of row_count a whole number, of range a number or a text")
    max = ScalarField(required=False, help_text="as `min`")
    maxDrop = StrictFloatField(source="max_drop", required=False, min_value=0, max_value=1, help_text="of row_count")
    maxGrowth = StrictFloatField(source="max_growth", required=False, min_value=0, help_text="of row_count")
    column = StrictCharField(
        required=False, trim_whitespace=False, help_text="of not_null, accepted_values, range and freshness"
    )
    columns = _names()
    values = serializers.ListField(
        child=ScalarField(), max_length=_MAX_VALUES, required=False, help_text="of accepted_values"
    )
    maxAgeHours = StrictFloatField(source="max_age_hours", required=False, min_value=0, help_text="of freshness")
    expression = StrictCharField(
        required=False, trim_whitespace=False, max_length=_MAX_TEXT_LENGTH, help_text="SQL of condition"
    )
    query = StrictCharField(
        required=False, trim_whitespace=False, max_length=_MAX_TEXT_LENGTH, help_text="SQL of query"
    )
    fromSeverity = serializers.ChoiceField(
        source="from_severity", required=False, choices=["breaking", "notice"], help_text="of drift"
    )
    releaseTag = StrictCharField(source="release_tag", required=False, help_text="of drift")


def _tolerated_rows(**options: Any) -> StrictWholeNumberField:
    return StrictWholeNumberField(source="tolerated_rows", min_value=0, max_value=MAX_TOLERATED_ROWS, **options)


def _tolerated_share(**options: Any) -> StrictFloatField:
    return StrictFloatField(source="tolerated_share", min_value=0, max_value=1, **options)


class NewCheckSerializer(StrictInputSerializer):
    """A new data check of the view."""

    name = StrictCharField(max_length=MAX_NAME_LENGTH, help_text="unique in the view, without a slash")
    kind = serializers.ChoiceField(choices=[*CheckKind])
    arguments = CheckArgumentsSerializer(help_text="{} for a kind that needs none")
    severity = serializers.ChoiceField(choices=[*CheckSeverity], default=CheckSeverity.ERROR)
    toleratedRows = _tolerated_rows(default=0)
    toleratedShare = _tolerated_share(default=0)
    enabled = StrictBooleanField(default=True)


class CheckChangesSerializer(StrictInputSerializer):
    """The fields to change, and the version of the document that they are a change of."""

    version = StrictCharField(max_length=100, help_text="`version` of the document that you have read")
    arguments = CheckArgumentsSerializer(required=False, help_text="replaces all arguments")
    severity = serializers.ChoiceField(choices=[*CheckSeverity], required=False)
    toleratedRows = _tolerated_rows(required=False)
    toleratedShare = _tolerated_share(required=False)
    enabled = StrictBooleanField(required=False)


class AcceptanceSerializer(StrictInputSerializer):
    """Which figures to decide on, and why."""

    runId = StrictCharField(source="run_id", max_length=200, help_text="the run whose figures you have seen")
    reason = StrictCharField(max_length=1000, help_text="stored with your name, and shown with the result")


class NewWaiverSerializer(AcceptanceSerializer):
    """Which figures to waive, why, and for how long."""

    hours = StrictWholeNumberField(
        min_value=1, max_value=MAX_HOURS, default=DEFAULT_HOURS, help_text="after which an unused waiver expires"
    )


class ViewDatabaseSerializer(StrictInputSerializer):
    database = serializers.CharField(
        required=False,
        max_length=100,
        help_text="database of the view (default: the first one that has a view of this name)",
    )


class CheckQuerySerializer(CursorQuerySerializer):
    has_time = False
    database = ViewDatabaseSerializer().fields["database"]


class CheckResultSerializer(serializers.Serializer[Any]):
    """The result of a data check."""

    name = serializers.CharField()
    kind = serializers.CharField()
    arguments = serializers.DictField(help_text="by which it was judged; {} if its check could not be read")
    severity = serializers.ChoiceField(choices=[*CheckSeverity])
    outcome = serializers.ChoiceField(choices=[*CheckOutcome])
    figures = serializers.DictField(help_text="numbers and bounds, by the kind")
    text = serializers.CharField(help_text="figures and bounds")
    samples = serializers.ListField(
        child=serializers.CharField(), help_text="bad rows as JSON, possibly cut; requires seeder.view_errors"
    )
    message = serializers.CharField(allow_null=True, help_text="why it could not run; requires seeder.view_errors")
    sqlstate = serializers.CharField(allow_null=True)


class LastCheckResultSerializer(CheckResultSerializer):
    """The result of a data check in the last refresh that ran it."""

    runId = serializers.CharField()
    startTime = serializers.DateTimeField()


class CheckSerializer(serializers.Serializer[Any]):
    """A data check of a view."""

    view = serializers.CharField()
    database = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    arguments = CheckArgumentsSerializer(help_text="empty if they cannot be read")
    severity = serializers.ChoiceField(choices=[*CheckSeverity])
    toleratedRows = Int64Field()
    toleratedShare = serializers.FloatField()
    enabled = serializers.BooleanField()
    source = serializers.CharField(  # type: ignore[assignment]  # DRF moves fields out of the class
        allow_null=True, help_text="the file that it is kept in; only null can be changed"
    )
    updatedBy = serializers.CharField(allow_null=True)
    updatedAt = serializers.DateTimeField()
    version = serializers.CharField(help_text="changes with every change of the check")
    problem = serializers.CharField(allow_null=True, help_text="why it cannot be read, so that it cannot run")
    lastResult = LastCheckResultSerializer(allow_null=True, help_text="null if it has never run")


class CheckedRefreshSerializer(serializers.Serializer[Any]):
    """A refresh with the results of its data checks."""

    runId = serializers.CharField()
    status = serializers.ChoiceField(choices=[*Status])
    held = serializers.BooleanField(help_text="a failed check kept the view from being published")
    startTime = serializers.DateTimeField()
    finishTime = serializers.DateTimeField(allow_null=True)
    results = CheckResultSerializer(many=True)


class CheckDecisionSerializer(serializers.Serializer[Any]):
    """A decision on a held view. It is bound to figures."""

    view = serializers.CharField()
    database = serializers.CharField()
    name = serializers.CharField()
    decision = serializers.ChoiceField(choices=[*WaiverDecision])
    figures = serializers.DictField()
    sqlstate = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    grantedBy = serializers.CharField()
    grantedAt = serializers.DateTimeField()
    expiresAt = serializers.DateTimeField(allow_null=True, help_text="null for a baseline")

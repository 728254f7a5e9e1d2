"""Documents, parameters and bodies of rejects."""

from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers

from data_pipeline.domain.rejects import RejectState
from seeder.api.document_serializers import Int64Field
from seeder.api.input_serializers import (
    CommaSeparatedField,
    CursorQuerySerializer,
    DigitsField,
    StrictBooleanField,
    StrictInputSerializer,
)
from seeder.services.storable_text import is_storable

_MAX_NAME_LENGTH = 300  # characters
_SQLSTATE = r"^[0-9A-Z]{5}$"
_MAX_NUMBER = 2**63 - 1
_MAX_CORRECTIONS = 1000


class RejectProblemSerializer(serializers.Serializer[Any]):
    """Why a column, or the record as a whole, was refused."""

    column = serializers.CharField(allow_null=True, help_text="null for the record as a whole")
    sqlstate = serializers.CharField()
    reason = serializers.CharField(help_text="without `data_pipeline.see_raw`, the name of the SQLSTATE")
    value = serializers.CharField(allow_null=True, help_text="the text in the file, or its shape")


class RejectSerializer(serializers.Serializer[Any]):
    """A rejected record. Without `data_pipeline.see_raw`, x stands for letters and 9 for digits."""

    recordNo = Int64Field(help_text="from 1, without the header")
    lineNo = Int64Field(help_text="line at which the record begins, from 1; in a workbook, the row")
    status = serializers.ChoiceField(choices=[*RejectState])
    replayedBy = Int64Field(allow_null=True, help_text="load of the corrected record")
    problems = RejectProblemSerializer(many=True)
    raw = serializers.CharField(help_text="the record as in the file; other bytes than UTF-8 are escaped")
    shortened = serializers.BooleanField(help_text="only the beginning of the record is kept")
    values = serializers.DictField(
        child=serializers.CharField(allow_null=True),
        allow_null=True,
        help_text="text of each column, to be corrected; null if masked or if the columns are unknown",
    )
    masked = serializers.BooleanField()


class RejectQuerySerializer(CursorQuerySerializer):
    """Which rejects of a load are listed."""

    has_time = False
    status = CommaSeparatedField(
        serializers.ChoiceField(choices=[*RejectState]),
        source="states",
        required=False,
        help_text="one or several, separated by commas (default: all, in CSV the open ones)",
    )
    column = serializers.CharField(required=False, max_length=_MAX_NAME_LENGTH, help_text="that has a problem")
    sqlstate = serializers.RegexField(_SQLSTATE, required=False, help_text="of a problem")
    format = serializers.ChoiceField(
        required=False,
        choices=["json", "csv"],
        help_text="`csv`: all rejects as a file to correct (default: by the header `Accept`)",
    )


class _TextsField(serializers.DictField):
    """Texts by name, all of which PostgreSQL can store."""

    child = serializers.CharField(allow_null=True, allow_blank=True, trim_whitespace=False)

    def to_internal_value(self, data: Any) -> Any:
        texts = super().to_internal_value(data)
        if not all(is_storable(text) for pair in texts.items() for text in pair if text is not None):
            text = gettext("A name or a value has a character that PostgreSQL cannot store.")
            raise serializers.ValidationError(text)
        return texts


class CorrectionSerializer(StrictInputSerializer):
    """The corrected values of one rejected record."""

    recordNo = DigitsField(min_value=1, max_value=_MAX_NUMBER)
    values = _TextsField(help_text="texts by column; null is an empty field, and other columns stay as they are")


class ReplaySerializer(StrictInputSerializer):
    """What is loaded again: the file, or its open rejects."""

    corrections = serializers.ListField(  # an empty list would load nothing
        child=CorrectionSerializer(),
        required=False,
        allow_empty=False,
        max_length=_MAX_CORRECTIONS,
        help_text="load these records, corrected",
    )
    rejectsAsIs = StrictBooleanField(
        default=False, help_text="load all open rejects as they are, after the table was changed (default: false)"
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        corrections = values.get("corrections", [])
        if corrections and values["rejectsAsIs"]:
            raise serializers.ValidationError({"rejectsAsIs": [gettext("Cannot be used with corrections.")]})
        if len({one["recordNo"] for one in corrections}) < len(corrections):
            raise serializers.ValidationError({"corrections": [gettext("A record is given more than once.")]})
        return values


class DismissalSerializer(serializers.Serializer[Any]):
    """What a dismissal has changed."""

    loadId = Int64Field()
    dismissed = serializers.IntegerField(help_text="rejects that were open")
    wasFailing = serializers.BooleanField(help_text="the load had failed, and was not dismissed before")

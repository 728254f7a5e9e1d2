"""Options of uploads and files, with the names of `load_file`."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from data_pipeline.domain.dialects import Mode
from data_pipeline.services.load_options import AUTO, LoadOptions
from seeder.api.input_serializers import DigitsField, StrictCharField, StrictInputSerializer

_MAX_NAME_LENGTH = 300  # characters
_MAX_ADDRESS_LENGTH = 4096
_MAX_RECORDS = 2**31 - 1


class RecordOptionsSerializer(StrictInputSerializer):
    """How records are loaded."""

    table = StrictCharField(
        max_length=_MAX_NAME_LENGTH, required=False, help_text="table (default: the target of the dialect)"
    )
    mode = serializers.ChoiceField(choices=[*Mode], required=False, help_text="default: that of the dialect, or append")
    key = serializers.RegexField(
        r"\A[0-9a-f]{64}\Z",
        required=False,
        help_text="idempotency key of the content: 64 hexadecimal digits (default: computed)",
    )
    force = serializers.BooleanField(  # no default, which some clients would send in the query of a form
        required=False, help_text="load the content although it was loaded before (default: skip it)"
    )
    max_rejects = DigitsField(
        min_value=0, max_value=_MAX_RECORDS, required=False, help_text="records that may be rejected"
    )
    max_reject_ratio = serializers.FloatField(
        min_value=0, max_value=1, required=False, help_text="share of the records that may be rejected"
    )

    def options(self) -> LoadOptions:
        """Return the validated options."""
        return LoadOptions.from_given({"table": AUTO, **self.validated_data})


class FileOptionsSerializer(RecordOptionsSerializer):
    """How a file is loaded."""

    dialect = serializers.RegexField(r"\A[A-Za-z0-9_-]{1,100}\Z", required=False, help_text="name of a dialect")
    sheet = StrictCharField(max_length=_MAX_NAME_LENGTH, required=False, help_text="sheet of a workbook")


class IngestSerializer(FileOptionsSerializer):
    """A file that the workers can read, and how it is loaded."""

    source_uri = StrictCharField(
        max_length=_MAX_ADDRESS_LENGTH,
        help_text="`file://`, `s3://` or `https://` address in INGEST_ROOTS, INGEST_BUCKETS or ALLOWED_HOSTS",
    )

    def options(self) -> LoadOptions:
        given = {name: value for name, value in self.validated_data.items() if name != "source_uri"}
        return LoadOptions.from_given({"table": AUTO, **given})


class FormSerializer(FileOptionsSerializer):
    """A file, and how it is loaded. The options can also be in the query."""

    file = extend_schema_field(OpenApiTypes.BINARY)(serializers.FileField)()


# Other elements than objects are accepted, because one of them must not cost the others.
RECORDS: dict[str, Any] = {
    "type": "array",
    "items": {"description": "an object with the names of columns; any other value becomes a reject of the load"},
}

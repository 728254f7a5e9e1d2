"""Query parameters, request bodies and documents about changed rows."""

from typing import Any

from rest_framework import serializers

from seeder.api.check_serializers import StrictWholeNumberField, ViewDatabaseSerializer
from seeder.api.document_serializers import Int64Field
from seeder.api.input_serializers import CursorQuerySerializer, ForceOptionSerializer
from seeder.domain.row_changes import MAX_SAMPLE_ROWS, RowChangeKind


class RefreshOptionsSerializer(ForceOptionSerializer):
    """How a view is refreshed, and what the refresh records in addition."""

    changedRows = StrictWholeNumberField(
        source="max_changed_rows",
        required=False,
        min_value=1,
        max_value=MAX_SAMPLE_ROWS,
        help_text="how many updated, inserted and deleted rows it stores, each (default: none)",
    )


class ChangeSampleQuerySerializer(CursorQuerySerializer):
    has_time = False
    database = ViewDatabaseSerializer().fields["database"]


def _values(help_text: str) -> serializers.DictField:
    return serializers.DictField(child=serializers.CharField(allow_null=True), help_text=help_text)


class ChangedRowSerializer(serializers.Serializer[Any]):
    """A row that a refresh changed. Values are texts, possibly cut."""

    kind = serializers.ChoiceField(choices=[*RowChangeKind])
    key = _values("by column")
    old = _values("of an update what changed, otherwise all but the key; empty if inserted")
    new = _values("as `old`; empty if deleted")
    omitted = serializers.IntegerField(help_text="columns that are left out because the row is too long")


class ChangeSampleSerializer(serializers.Serializer[Any]):
    """The rows that a refresh changed, or a request that waits for the next published refresh."""

    id = Int64Field()
    requestedBy = serializers.CharField()
    requestedAt = serializers.DateTimeField()
    maxRows = serializers.IntegerField(help_text="of each kind")
    runId = serializers.CharField(allow_null=True, help_text="null while it waits")
    inserted = Int64Field(allow_null=True, help_text="null if the rows could not be compared")
    deleted = Int64Field(allow_null=True)
    updated = Int64Field(allow_null=True)
    note = serializers.CharField(allow_null=True, help_text="why they could not be compared, or what was left out")
    rows = ChangedRowSerializer(many=True, help_text="require seeder.view_errors; otherwise empty")

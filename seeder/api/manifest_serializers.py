"""Query parameters, request bodies and documents of the endpoints for manifests."""

from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers

from seeder.api.document_serializers import ManifestFields
from seeder.api.input_serializers import (
    CursorQuerySerializer,
    StrictBooleanField,
    StrictCharField,
    StrictInputSerializer,
    agencies_field,
    report_types_field,
)
from seeder.domain.manifest_edits import MAX_INTEGER, MAX_NAME_LENGTH, ReportDefinition
from seeder.domain.manifests import ReportType
from seeder.domain.outcomes import Status
from seeder.domain.query_trials import MAX_QUERY_BYTES, ChangeKind, WarningCode
from seeder.services.manifest_access import DEFINITION_FIELDS
from seeder.services.read_models.manifest_list import DriftState


class StrictIntegerField(serializers.IntegerField):
    """A number of an integer column. DRF would also read texts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_INTEGER, **options)

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return int(super().to_internal_value(data))


class ManifestQuerySerializer(CursorQuerySerializer):
    has_time = False
    agency = agencies_field()
    reportType = report_types_field()


class QueryToValidateSerializer(StrictInputSerializer):
    """A query, and the view that it would create."""

    tableName = StrictCharField(source="table_name", max_length=MAX_NAME_LENGTH, help_text="as in SQL: schema.view")
    query = StrictCharField(trim_whitespace=False, max_length=MAX_QUERY_BYTES, help_text="one SELECT")
    databaseId = StrictIntegerField(source="database_id")

    @property
    def definition(self) -> ReportDefinition:
        return ReportDefinition(**{"report_name": "a query", **self.validated_data})


class NewManifestSerializer(StrictInputSerializer):
    """A new custom manifest, or a subscription: to `cannedReportId`, otherwise to a new canned report."""

    reportType = serializers.ChoiceField(source="report_type", choices=[*ReportType])
    agencySlug = StrictCharField(source="agency_slug", max_length=MAX_NAME_LENGTH)
    agencyId = StrictIntegerField(
        source="agency_id", required=False, help_text="only needed for an agency without manifests"
    )
    cannedReportId = StrictIntegerField(source="canned_report_id", required=False)
    tableName = StrictCharField(source="table_name", required=False, max_length=MAX_NAME_LENGTH)
    reportName = StrictCharField(source="report_name", required=False, max_length=MAX_NAME_LENGTH)
    query = StrictCharField(required=False, trim_whitespace=False, max_length=MAX_QUERY_BYTES)
    databaseId = StrictIntegerField(source="database_id", required=False)
    enabled = StrictBooleanField(required=False, help_text="only of a custom manifest (default: true)")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require the definition, or the id of a canned report and nothing else."""
        is_existing = attrs["report_type"] == ReportType.CANNED and "canned_report_id" in attrs
        names = {str(field.source): str(field.field_name) for field in self._writable_fields}
        if not is_existing:
            missing = [names[source] for source in DEFINITION_FIELDS if source not in attrs]
            if missing:
                raise serializers.ValidationError(dict.fromkeys(missing, gettext("This field is required.")))
        unused = set(DEFINITION_FIELDS) if is_existing else {"canned_report_id"}
        if attrs["report_type"] == ReportType.CANNED:
            unused.add("enabled")
        if surplus := sorted(names[source] for source in unused & attrs.keys()):
            raise serializers.ValidationError(dict.fromkeys(surplus, gettext("This manifest has no such field.")))
        return attrs

    @property
    def definition(self) -> ReportDefinition:
        return ReportDefinition(**{name: self.validated_data[name] for name in DEFINITION_FIELDS})


class ManifestChangesSerializer(StrictInputSerializer):
    """The fields to change, and the version of the document that they are a change of."""

    version = StrictCharField(max_length=MAX_NAME_LENGTH, help_text="`version` of the document that you have read")
    tableName = StrictCharField(source="table_name", required=False, max_length=MAX_NAME_LENGTH)
    reportName = StrictCharField(source="report_name", required=False, max_length=MAX_NAME_LENGTH)
    query = StrictCharField(required=False, trim_whitespace=False, max_length=MAX_QUERY_BYTES)
    databaseId = StrictIntegerField(source="database_id", required=False)
    enabled = StrictBooleanField(required=False, help_text="only of a custom manifest")


class DefinitionDriftSerializer(serializers.Serializer[Any]):
    """Whether the view was created from another query than the manifest's."""

    state = serializers.ChoiceField(choices=[*DriftState])
    cause = serializers.CharField(allow_null=True, help_text="why PostgreSQL rejects the query, or why it is unknown")


class ManifestSerializer(ManifestFields):
    """A manifest with its query and the state of its view."""

    agencyName = serializers.CharField()
    query = serializers.CharField()
    databaseId = serializers.IntegerField(allow_null=True, help_text="null if the canned report is missing")
    enabled = serializers.BooleanField(help_text="always true for a canned manifest")
    cannedReportId = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(choices=[*Status], allow_null=True, help_text="null if it has never run")
    version = serializers.CharField(help_text="changes with every change of the manifest or its canned report")
    drift = DefinitionDriftSerializer()


class QueryProblemSerializer(serializers.Serializer[Any]):
    """Why PostgreSQL refuses a query."""

    message = serializers.CharField()
    sqlstate = serializers.CharField(allow_null=True)
    line = serializers.IntegerField(allow_null=True, help_text="in the query, from 1")
    column = serializers.IntegerField(allow_null=True, help_text="character in the line, from 1")
    hint = serializers.CharField(allow_null=True)


class QueryColumnSerializer(serializers.Serializer[Any]):
    """A column of a query."""

    name = serializers.CharField()
    type = serializers.CharField()


class ColumnChangeSerializer(serializers.Serializer[Any]):
    """A column that the query and the existing view do not have in common."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=[*ChangeKind])
    before = serializers.CharField(allow_null=True, help_text="type in the view")
    after = serializers.CharField(allow_null=True, help_text="type in the query")


class ReadRelationSerializer(serializers.Serializer[Any]):
    """A table or view that the query names."""

    name = serializers.CharField()
    canSelect = serializers.BooleanField(help_text="the role of the web process may read it")


class FirstRowsSerializer(serializers.Serializer[Any]):
    """The first rows of a query, as text."""

    columnNames = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.ListField(child=serializers.CharField(allow_null=True)))
    hasMore = serializers.BooleanField()


class QueryWarningSerializer(serializers.Serializer[Any]):
    """A warning about a query that PostgreSQL accepts."""

    code = serializers.ChoiceField(choices=[*WarningCode])
    message = serializers.CharField()


class QueryTrialSerializer(serializers.Serializer[Any]):
    """What PostgreSQL says about a query. With a problem, everything else is empty."""

    problem = QueryProblemSerializer(allow_null=True)
    plan = serializers.CharField(allow_null=True, help_text="EXPLAIN")
    columns = QueryColumnSerializer(many=True)
    columnChanges = ColumnChangeSerializer(many=True, allow_null=True, help_text="null if the view does not exist")
    relations = ReadRelationSerializer(many=True)
    firstRows = FirstRowsSerializer(allow_null=True, help_text="null without `seeder.view_errors`, or with a warning")
    warnings = QueryWarningSerializer(many=True)

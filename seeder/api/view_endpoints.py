"""Endpoints for views by their names."""

from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.agency_scoped_view import ReportView
from seeder.api.authentication_and_throttling import READ
from seeder.api.changed_rows_serializers import ChangeSampleQuerySerializer, ChangeSampleSerializer
from seeder.api.explanation_serializers import ExplanationQuerySerializer, ExplanationSerializer
from seeder.api.operation_description import describe_operation, page_schema
from seeder.services.data_checks import check_access
from seeder.services.documents.changed_rows_documents import sample_document
from seeder.services.documents.explanation_documents import explanation_document
from seeder.services.read_models import changed_rows
from seeder.services.read_models.keyset_pagination import PageOrder
from seeder.services.read_models.view_explanation import explain_view
from seeder.services.read_models.view_reader import viewer_of

_NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="name of the view, in any spelling")


class ViewExplanationView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_jobstatus"}

    @describe_operation("explainView", ExplanationSerializer, parameters=[_NAME, ExplanationQuerySerializer])
    def get(self, request: Request, name: str) -> Response:
        """Explain why a view is in its state. It plans a refresh, but starts none."""
        query = self.validated_query(ExplanationQuerySerializer)
        explanation = explain_view(name, viewer_of(request.user), database=query.get("database"))
        return Response(explanation_document(explanation))


class ChangeSampleListView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_jobstatus"}

    @describe_operation(
        "listChangeSamples", page_schema(ChangeSampleSerializer), parameters=[_NAME, ChangeSampleQuerySerializer]
    )
    def get(self, request: Request, name: str) -> Response:
        """List the samples of rows that refreshes of a view changed, latest first."""
        query = self.validated_query(ChangeSampleQuerySerializer)
        view = check_access.find_view(name, self.visible_agencies, database=query.get("database"))
        samples = changed_rows.samples_of(view)
        return self.cursor_response(
            query,
            samples if changed_rows.has_samples() else samples.none(),
            PageOrder(),
            lambda rows: [
                sample_document(one) for one in changed_rows.visible_samples(rows, can_see_data=self.can_see_errors)
            ],
        )

"""Endpoints for views by their names."""

from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.agency_scoped_view import ReportView
from seeder.api.authentication_and_throttling import READ
from seeder.api.explanation_serializers import ExplanationQuerySerializer, ExplanationSerializer
from seeder.api.operation_description import describe_operation
from seeder.services.documents.explanation_documents import explanation_document
from seeder.services.read_models.view_explanation import explain_view, viewer_of

_NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="name of the view, in any spelling")


class ViewExplanationView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_jobstatus"}

    @describe_operation("explainView", ExplanationSerializer, parameters=[_NAME, ExplanationQuerySerializer])
    def get(self, request: Request, name: str) -> Response:
        """Explain why a view is in its state. It plans a refresh, but starts none."""
        query = self.validated_query(ExplanationQuerySerializer)
        explanation = explain_view(name, viewer_of(request.user), database=query.get("database"))
        return Response(explanation_document(explanation))

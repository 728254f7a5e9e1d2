"""Endpoints for the requests to workers of the queue."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from data_pipeline.api.base_view import PipelineView
from data_pipeline.api.request_serializers import RequestSerializer
from data_pipeline.services.request_documents import request_document
from data_pipeline.services.request_listing import find_request
from seeder.api.authentication_and_throttling import READ
from seeder.api.operation_description import describe_operation


class BaseRequestView(PipelineView):
    required_permissions: ClassVar = {READ: "data_pipeline.view_loadrequest"}


class RequestDetailView(BaseRequestView):
    @describe_operation("getLoadRequest", RequestSerializer)
    def get(self, request: Request, id: int) -> Response:
        """Get the state of a request, its load and its error."""
        return Response(request_document(find_request(id, self.scope), shows_values=self.shows_values))

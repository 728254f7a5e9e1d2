"""Endpoints for the requests to workers of the queue."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from data_pipeline.api.base_view import PipelineView
from data_pipeline.api.query_serializers import RequestQuerySerializer
from data_pipeline.api.request_serializers import RequestSerializer
from data_pipeline.models import LoadRequest
from data_pipeline.services.request_documents import request_document
from data_pipeline.services.request_listing import filtered_requests, find_request, summaries, visible_parts
from seeder.api.authentication_and_throttling import READ
from seeder.api.operation_description import describe_operation, page_schema
from seeder.services.read_models.keyset_pagination import PageOrder


class BaseRequestView(PipelineView):
    required_permissions: ClassVar = {READ: "data_pipeline.view_loadrequest"}


class RequestListView(BaseRequestView):
    @describe_operation("listLoadRequests", page_schema(RequestSerializer), parameters=[RequestQuerySerializer])
    def get(self, request: Request) -> Response:
        """List requests, latest first."""
        query = self.validated_query(RequestQuerySerializer)
        requests = filtered_requests(query["statuses"], query.get("action"))
        return self.cursor_response(query, visible_parts(requests, self.scope), PageOrder(), self._documents)

    def _documents(self, rows: Sequence[LoadRequest]) -> Sequence[Mapping[str, Any]]:
        return [request_document(one, shows_values=self.shows_values) for one in summaries(rows)]


class RequestDetailView(BaseRequestView):
    @describe_operation("getLoadRequest", RequestSerializer)
    def get(self, request: Request, id: int) -> Response:
        """Get the state of a request, its load and its error."""
        return Response(request_document(find_request(id, self.scope), shows_values=self.shows_values))

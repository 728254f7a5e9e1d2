"""Endpoints for loads: list and detail."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from data_pipeline.api.base_view import PipelineView
from data_pipeline.api.load_serializers import LoadDetailSerializer, LoadSerializer
from data_pipeline.api.query_serializers import LoadQuerySerializer
from data_pipeline.models import LoadLog
from data_pipeline.services.load_detail import read_load_detail
from data_pipeline.services.load_detail_documents import load_detail_document
from data_pipeline.services.load_listing import filtered_loads, summaries
from data_pipeline.services.load_scope import visible_parts
from data_pipeline.services.overview_documents import summary_document
from data_pipeline.services.possible_actions import possible_actions
from seeder.api.authentication_and_throttling import READ
from seeder.api.operation_description import describe_operation, page_schema
from seeder.services.read_models.keyset_pagination import PageOrder


class BaseLoadView(PipelineView):
    required_permissions: ClassVar = {READ: "data_pipeline.view_loadlog"}


class LoadListView(BaseLoadView):
    @describe_operation("listLoads", page_schema(LoadSerializer), parameters=[LoadQuerySerializer])
    def get(self, request: Request) -> Response:
        """List loads, latest first."""
        query = self.validated_query(LoadQuerySerializer)
        loads = visible_parts(filtered_loads(query["filter"]), self.scope)
        return self.cursor_response(query, loads, PageOrder(time="created_at"), self._documents)

    def _documents(self, loads: Sequence[LoadLog]) -> Sequence[Mapping[str, Any]]:
        return [summary_document(one) for one in summaries(loads, shows_values=self.shows_values)]


class LoadDetailView(BaseLoadView):
    @describe_operation("getLoad", LoadDetailSerializer)
    def get(self, request: Request, id: int) -> Response:
        """Get everything that is known of a load."""
        detail = read_load_detail(id, self.scope, shows_values=self.shows_values)
        return Response(load_detail_document(detail, possible_actions(request.user, detail.load)))

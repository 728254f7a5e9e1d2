"""Endpoints that follow rows from loads to views, and back."""

from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from data_pipeline.api.base_view import PipelineView
from data_pipeline.api.lineage_serializers import TableLineageSerializer, ViewAsOfSerializer
from data_pipeline.services.lineage_documents import lineage_document, view_as_of_document
from data_pipeline.services.table_lineage import read_table_lineage, read_view_as_of
from seeder.api.authentication_and_throttling import READ
from seeder.api.operation_description import describe_operation

_NAME = OpenApiParameter(
    "name", str, OpenApiParameter.PATH, description="name in any spelling; without a schema, it is in `reporting`"
)


class BaseLineageView(PipelineView):
    required_permissions: ClassVar = {READ: "data_pipeline.view_loadlog"}


class TableLineageView(BaseLineageView):
    @describe_operation("getTableLineage", TableLineageSerializer, parameters=[_NAME])
    def get(self, request: Request, name: str) -> Response:
        """Get the last loads of a table, and its dependent views."""
        return Response(lineage_document(read_table_lineage(name, self.scope, shows_values=self.shows_values)))


class ViewAsOfView(BaseLineageView):
    @describe_operation("getViewAsOf", ViewAsOfSerializer, parameters=[_NAME])
    def get(self, request: Request, name: str) -> Response:
        """Get which loads a view contains, and how many it lacks."""
        return Response(view_as_of_document(*read_view_as_of(name, self.scope)))

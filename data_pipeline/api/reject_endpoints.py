"""The endpoint for rejects of a load, as JSON and as CSV."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request

from data_pipeline.api.base_view import PipelineView
from data_pipeline.api.reject_serializers import RejectQuerySerializer, RejectSerializer
from data_pipeline.domain.rejects import RejectState
from data_pipeline.models import LoadLog, LoadReject
from data_pipeline.services.load_scope import find_visible_load
from data_pipeline.services.shown_rejects import RejectFilter, csv_lines, reject_documents
from seeder.api.authentication_and_throttling import READ
from seeder.api.operation_description import describe_operation, page_schema
from seeder.services.read_models.keyset_pagination import PageOrder

_CSV = "text/csv"
_ORDER = PageOrder(key="record_no", is_ascending=True)


class RejectListView(PipelineView):
    required_permissions: ClassVar = {READ: "data_pipeline.view_loadreject"}

    @describe_operation(
        "listRejects",
        {(200, "application/json"): page_schema(RejectSerializer), (200, _CSV): OpenApiTypes.STR},
        parameters=[RejectQuerySerializer],
    )
    def get(self, request: Request, id: int) -> HttpResponseBase:
        """List the rejected records of a load in file order.

        As CSV, all open ones are a file whose values can be corrected and replayed. A spreadsheet runs no formula in
        it. Without `data_pipeline.see_raw`, letters and digits are masked, and the CSV has no values.
        """
        query = self.validated_query(RejectQuerySerializer)
        load = find_visible_load(id, self.scope)
        wanted = {name: query[name] for name in ("states", "column", "sqlstate") if name in query}
        if self._wants_csv(request, query):
            return self._csv(load, RejectFilter(**{"states": [RejectState.OPEN], **wanted}))

        def documents(rows: Sequence[LoadReject]) -> Sequence[Mapping[str, Any]]:
            return reject_documents(load, [row.record_no for row in rows], shows_values=self.shows_values)

        response = self.cursor_response(query, RejectFilter(**wanted).rows(load), _ORDER, documents)
        patch_vary_headers(response, ["Accept"])
        return response

    def _wants_csv(self, request: Request, query: Mapping[str, Any]) -> bool:
        accepted = request.headers.get("Accept", "")
        return bool(query.get("format", "csv" if accepted.startswith(_CSV) else "json") == "csv")

    def _csv(self, load: LoadLog, wanted: RejectFilter) -> StreamingHttpResponse:
        numbers = list(wanted.rows(load).order_by("record_no").values_list("record_no", flat=True))
        lines = csv_lines(load, numbers, shows_values=self.shows_values)
        response = StreamingHttpResponse(lines, content_type=f"{_CSV}; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="rejects-of-load-{load.pk}.csv"'
        return response

"""Endpoints for runs: list, detail and history rows."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api import pagination
from seeder.api.access_control import READ
from seeder.api.input_serializers import CursorQuerySerializer, RunQuerySerializer
from seeder.api.job_endpoints import BaseHistoryView
from seeder.api.openapi_decorators import cursor_page_schema, describe_operation
from seeder.api.report_view import ReportView
from seeder.api.serializers import HistorySerializer, RunDetailSerializer, RunSerializer
from seeder.services.read_models import keyset_pagination, run_timeline


class BaseRunView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_run"}


class RunListView(BaseRunView):
    @describe_operation("listRuns", parameters=[RunQuerySerializer], responses=cursor_page_schema(RunSerializer))
    def get(self, request: Request) -> Response:
        """List runs with their totals, latest first."""
        query = self.validated_query(RunQuerySerializer)
        agencies = self.visible_agencies
        if "agency" in query:
            agencies = [query["agency"]] if agencies is None or query["agency"] in agencies else []
        page = keyset_pagination.fetch_page(
            lambda: run_timeline.runs_of(agencies), "started_at", query.get("after"), max_rows=query["size"]
        )
        return Response(
            pagination.cursor_page(
                request, page, pagination.serialize_all(RunSerializer(), run_timeline.totals(page.rows, agencies))
            )
        )


class RunDetailView(BaseRunView):
    @describe_operation("getRun", responses=RunDetailSerializer)
    def get(self, request: Request, runId: str) -> Response:  # noqa: ARG002, N803  # name of the path
        """Get the totals and the holds of one run."""
        run, holds = run_timeline.summary(runId, self.visible_agencies)
        return Response(RunDetailSerializer(run, context={"holds": holds}).data)


class RunHistoryView(BaseHistoryView):
    @describe_operation(
        "listHistoryOfRun", parameters=[CursorQuerySerializer], responses=cursor_page_schema(HistorySerializer)
    )
    def get(self, request: Request, runId: str, **_: Any) -> Response:  # noqa: N803
        """List the history rows of one run, latest first."""
        query = self.validated_query(CursorQuerySerializer)
        cursor = pagination.require_numeric_cursor(query.get("after"))
        run_timeline.summary(runId, self.visible_agencies)
        page = keyset_pagination.fetch_page(
            lambda: run_timeline.history_of(runId, self.visible_agencies), "start_time", cursor, max_rows=query["size"]
        )
        return self.cursor_response(request, page)

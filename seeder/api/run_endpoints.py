"""Endpoints for runs: list, detail and history rows."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.agency_scoped_view import ReportView
from seeder.api.authentication_and_throttling import READ
from seeder.api.document_serializers import HistorySerializer, RunDetailSerializer, RunSerializer
from seeder.api.input_serializers import RunHistoryQuerySerializer, RunQuerySerializer
from seeder.api.job_endpoints import BaseHistoryView
from seeder.api.operation_description import describe_operation, page_schema
from seeder.services.documents.run_documents import run_detail_document, run_totals_document
from seeder.services.read_models import agency_scope, row_filters, run_groups, run_timeline
from seeder.services.read_models.keyset_pagination import PageOrder


class BaseRunView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_run"}


class RunListView(BaseRunView):
    @describe_operation("listRuns", page_schema(RunSerializer), parameters=[RunQuerySerializer])
    def get(self, request: Request) -> Response:
        """List runs with their totals, latest first."""
        query = self.validated_query(RunQuerySerializer)
        agencies = agency_scope.narrow(self.visible_agencies, query.get("agencies"))
        return self.cursor_response(
            query,
            row_filters.filter_runs(run_timeline.runs_of(agencies), query["filter"], agencies),
            PageOrder(time="started_at"),
            lambda runs: [*map(run_totals_document, run_timeline.totals(runs, agencies))],
        )


class RunDetailView(BaseRunView):
    @describe_operation("getRun", RunDetailSerializer)
    def get(self, request: Request, runId: str) -> Response:
        """Get the totals, the holds and the consistent groups of one run."""
        totals, holds = run_timeline.summary(runId, self.visible_agencies)
        return Response(run_detail_document(totals, holds, run_groups.groups_of_run(runId, self.visible_agencies)))


class RunHistoryView(BaseHistoryView):
    @describe_operation("listHistoryOfRun", page_schema(HistorySerializer), parameters=[RunHistoryQuerySerializer])
    def get(self, request: Request, runId: str, **_: Any) -> Response:
        """List the history rows of one run, latest first."""
        query = self.validated_query(RunHistoryQuerySerializer)
        run_timeline.summary(runId, self.visible_agencies)
        agencies = agency_scope.narrow(self.visible_agencies, query.get("agencies"))
        return self.history_response(query, run_timeline.history_of(runId, agencies), PageOrder(time="begun_at"))

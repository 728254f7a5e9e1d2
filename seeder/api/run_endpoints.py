"""Endpoints for runs: list, detail, cancellation and history rows."""

from typing import Any, ClassVar

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.agency_scoped_view import ReportView
from seeder.api.authentication_and_throttling import READ, WRITE
from seeder.api.document_serializers import (
    CancelledRunSerializer,
    HistorySerializer,
    RunDetailSerializer,
    RunSerializer,
)
from seeder.api.input_serializers import RunHistoryQuerySerializer, RunQuerySerializer
from seeder.api.job_endpoints import BaseHistoryView
from seeder.api.operation_description import describe_operation, page_schema
from seeder.api.queue_endpoints import CANCEL_ERROR_STATUSES
from seeder.services.documents.run_documents import run_detail_document, run_totals_document
from seeder.services.queue import cancellation
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


class CancelRunView(ReportView):
    required_permissions: ClassVar = {WRITE: "seeder.refresh_views"}
    error_statuses: ClassVar = (*CANCEL_ERROR_STATUSES, *ReportView.error_statuses)

    @describe_operation("cancelRun", CancelledRunSerializer, status=(status.HTTP_200_OK, status.HTTP_202_ACCEPTED))
    def post(self, request: Request, runId: str) -> Response:
        """Cancel a run of any process. Finished views stay refreshed.

        A run of the queue is cancelled with its request, and those that joined it. The status is 202 while the run
        still stops its refreshes, and otherwise 200. A repeated call changes nothing.
        """
        agencies = self.visible_agencies
        run_timeline.summary(runId, agencies)
        cancellation.cancel(runId, requested_by=request.user.get_username(), agencies=agencies)
        run, _ = run_timeline.summary(runId, agencies)
        document, url = run_totals_document(run), self.url_for("run", kwargs={"runId": runId})
        return self.accepted(document, url) if run.finished_at is None else Response({**document, "url": url})


class RunHistoryView(BaseHistoryView):
    @describe_operation("listHistoryOfRun", page_schema(HistorySerializer), parameters=[RunHistoryQuerySerializer])
    def get(self, request: Request, runId: str, **_: Any) -> Response:
        """List the history rows of one run, latest first."""
        query = self.validated_query(RunHistoryQuerySerializer)
        run_timeline.summary(runId, self.visible_agencies)
        agencies = agency_scope.narrow(self.visible_agencies, query.get("agencies"))
        return self.history_response(query, run_timeline.history_of(runId, agencies), PageOrder(time="begun_at"))

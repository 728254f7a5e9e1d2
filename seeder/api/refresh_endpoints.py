"""Endpoints that queue refreshes."""

from typing import ClassVar

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.agency_scoped_view import ReportView
from seeder.api.authentication_and_throttling import WRITE
from seeder.api.changed_rows_serializers import RefreshOptionsSerializer
from seeder.api.idempotency_keys import IDEMPOTENCY_KEY, scoped_idempotency_key
from seeder.api.input_serializers import ForceOptionSerializer
from seeder.api.operation_description import JOB_PATH_PARAMETERS, describe_operation
from seeder.api.queue_serializers import EnqueueResultSerializer
from seeder.change_sample_errors import SampleTableUnusable
from seeder.domain.refresh_requests import AgencyReports, RefreshRequest, SingleView
from seeder.domain.view_names import ViewName
from seeder.errors import UnknownAgency
from seeder.services.documents.queue_documents import scoped_enqueue_document
from seeder.services.queue import enqueue
from seeder.services.read_models import job_list, run_timeline


class BaseRefreshView(ReportView):
    required_permissions: ClassVar = {WRITE: "seeder.refresh_views"}

    error_statuses: ClassVar = (
        ((SampleTableUnusable,), status.HTTP_503_SERVICE_UNAVAILABLE),
        *ReportView.error_statuses,
    )

    def enqueue(self, request: Request, refresh_request: RefreshRequest, *, force: bool = False) -> Response:
        result = enqueue.enqueue_refresh(
            refresh_request,
            requested_by=request.user.get_username(),
            idempotency_key=scoped_idempotency_key(request),
            force=force,
        )
        url = None
        if result.request_id is not None:
            url = self.url_for("queued", kwargs={"requestId": result.request_id})
        return self.accepted(scoped_enqueue_document(result, self.visible_agencies), url)


class RefreshJobView(BaseRefreshView):
    @describe_operation(
        "refreshJob",
        EnqueueResultSerializer,
        request=RefreshOptionsSerializer,
        parameters=[*JOB_PATH_PARAMETERS, IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, reportType: str, id: int) -> Response:
        """Queue a refresh of the view of one manifest.

        Joins a queued request for the view that has not started. With `changedRows`, the next refresh of the view that
        is published also stores rows that it changes.
        """
        options = self.validated_body(RefreshOptionsSerializer)
        job = job_list.find_job(reportType, id, self.visible_agencies)
        force = options.pop("force")
        return self.enqueue(request, SingleView(name=ViewName.parse(job.table_name), **options), force=force)


class RefreshAgencyView(BaseRefreshView):
    @describe_operation(
        "refreshAgency", EnqueueResultSerializer, request=ForceOptionSerializer, parameters=[IDEMPOTENCY_KEY]
    )
    def post(self, request: Request, slug: str) -> Response:
        """Queue a refresh of all views of one agency."""
        options = self.validated_body(ForceOptionSerializer)
        if self.visible_agencies is not None and slug not in self.visible_agencies:
            raise UnknownAgency(slug=slug, suggestion="")
        return self.enqueue(request, AgencyReports(slug=slug), **options)


class RetryRunView(BaseRefreshView):
    @describe_operation("retryRun", EnqueueResultSerializer, parameters=[IDEMPOTENCY_KEY])
    def post(self, request: Request, runId: str) -> Response:
        """Queue a refresh of the views that failed or were interrupted in a run.

        Other reports of these views and hidden agencies are left out.
        """
        return self.enqueue(request, run_timeline.retry_request(runId, self.visible_agencies))

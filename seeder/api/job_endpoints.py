"""Endpoints for jobs: list, detail and history."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api import pagination
from seeder.api.access_control import READ
from seeder.api.input_serializers import CursorQuerySerializer, JobQuerySerializer, job_page_request
from seeder.api.openapi_decorators import JOB_PATH_PARAMETERS, cursor_page_schema, describe_operation, page_schema
from seeder.api.report_view import ReportView
from seeder.api.serializers import HistorySerializer, JobSerializer
from seeder.domain.monitoring.report_jobs import GroupBy, Job, JobFilter
from seeder.models import RunHistory
from seeder.services.read_models import agency_scope, error_redaction, job_list, keyset_pagination


class BaseJobView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_jobstatus"}

    def serialize_jobs(self, jobs: Sequence[Job]) -> Any:
        context = {
            "agency_names": agency_scope.names_of((job.agency_id, job.agency_slug) for job in jobs),
            "reasons": error_redaction.reasons_of_jobs(jobs),
            "can_see_errors": self.can_see_errors,
        }
        return pagination.serialize_all(JobSerializer(context=context), jobs)


class JobListView(BaseJobView):
    @describe_operation("listJobs", parameters=[JobQuerySerializer], responses=page_schema(JobSerializer))
    def get(self, request: Request) -> Response:
        """List the latest status of every enabled manifest."""
        query = self.validated_query(JobQuerySerializer)
        number, size = query.pop("page"), query.pop("size")
        page_request = job_page_request(query.pop("ordering"), number, size)
        job_page = job_list.job_page(
            JobFilter(visible_agencies=self.visible_agencies, **query), page_request, group_by=GroupBy.MANIFEST
        )
        page = pagination.numbered_page(request, job_page.jobs, total=job_page.total, number=number, size=size)
        return Response({**page, "results": self.serialize_jobs(job_page.jobs)})


class JobDetailView(BaseJobView):
    @describe_operation("getJob", parameters=JOB_PATH_PARAMETERS, responses=JobSerializer)
    def get(self, request: Request, reportType: str, id: int) -> Response:  # noqa: A002, ARG002, N803  # names of the path
        """Get the latest status of one manifest."""
        return Response(self.serialize_jobs([job_list.find_job(reportType, id, self.visible_agencies)])[0])


class BaseHistoryView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_runhistory"}

    def cursor_response(self, request: Request, page: keyset_pagination.CursorPage[RunHistory]) -> Response:
        context = {"reasons": error_redaction.reasons_of_rows(page.rows), "can_see_errors": self.can_see_errors}
        return Response(
            pagination.cursor_page(
                request, page, pagination.serialize_all(HistorySerializer(context=context), page.rows)
            )
        )


class JobHistoryView(BaseHistoryView):
    @describe_operation(
        "listHistoryOfJob",
        parameters=[*JOB_PATH_PARAMETERS, CursorQuerySerializer],
        responses=cursor_page_schema(HistorySerializer),
    )
    def get(self, request: Request, reportType: str, id: int) -> Response:  # noqa: A002, N803
        """List the runs of one manifest, latest first."""
        query = self.validated_query(CursorQuerySerializer)
        cursor = pagination.require_numeric_cursor(query.get("after"))
        job = job_list.find_job(reportType, id, self.visible_agencies)
        page = keyset_pagination.fetch_page(
            lambda: agency_scope.history_of_job(job), "start_time", cursor, max_rows=query["size"]
        )
        return self.cursor_response(request, page)

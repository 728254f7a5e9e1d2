"""Endpoints for jobs: list, detail and history."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.agency_scoped_view import ReportView
from seeder.api.authentication_and_throttling import READ
from seeder.api.document_serializers import HistorySerializer, JobSerializer
from seeder.api.input_serializers import JobHistoryQuerySerializer, JobQuerySerializer
from seeder.api.job_cursor_text import encode_job_cursor
from seeder.api.operation_description import JOB_PATH_PARAMETERS, describe_operation, page_schema
from seeder.domain.monitoring.report_jobs import GroupBy, Job, JobFilter, JobPageRequest, SortKey
from seeder.models import RunHistory
from seeder.postgres.contract import OptionalTables
from seeder.services.documents.document_fields import Document
from seeder.services.documents.job_documents import history_documents, job_documents
from seeder.services.read_models import agency_scope, error_redaction, job_list, row_filters, view_as_of
from seeder.services.read_models.keyset_pagination import PageOrder

_BY_START = PageOrder(time="start_time")


class BaseJobView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_jobstatus"}

    def documents(self, jobs: Sequence[Job]) -> list[Document]:
        names = agency_scope.names_of((job.agency_id, job.agency_slug) for job in jobs)
        tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
        failures = error_redaction.failures_of_jobs(jobs, tables, can_see_errors=self.can_see_errors)
        loads, ages = view_as_of.loads_in_views(jobs, tables), view_as_of.data_ages_of_jobs(jobs, tables)
        return job_documents(jobs, names, failures, loads, ages)


class JobListView(BaseJobView):
    @describe_operation("listJobs", page_schema(JobSerializer, is_counted=True), parameters=[JobQuerySerializer])
    def get(self, request: Request) -> Response:
        """List the latest status of every enabled manifest."""
        query = self.validated_query(JobQuerySerializer)
        size, ordering, cursor = query.pop("size"), query.pop("ordering"), query.pop("cursor", None)
        order = SortKey(ordering.lstrip("-"))
        # `attention` means most urgent first, which is descending in the database.
        descending = ordering.startswith("-") != (order is SortKey.ATTENTION)
        page_request = JobPageRequest(sort_key=order, descending=descending, limit=size, cursor=cursor)
        job_filter = JobFilter(visible_agencies=self.visible_agencies, **query)
        page = job_list.job_cursor_page(job_filter, page_request, group_by=GroupBy.MANIFEST)
        return Response(
            {
                "count": page.total,
                "next": page.next and self.url_with("cursor", encode_job_cursor(page.next, ordering)),
                "previous": page.previous and self.url_with("cursor", encode_job_cursor(page.previous, ordering)),
                "results": self.documents(page.jobs),
            }
        )


class JobDetailView(BaseJobView):
    @describe_operation("getJob", JobSerializer, parameters=JOB_PATH_PARAMETERS)
    def get(self, request: Request, reportType: str, id: int) -> Response:
        """Get the latest status of one manifest."""
        return Response(self.documents([job_list.find_job(reportType, id, self.visible_agencies)])[0])


class BaseHistoryView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_runhistory"}

    def history_response(
        self, query: Mapping[str, Any], rows: QuerySet[RunHistory], order: PageOrder = _BY_START
    ) -> Response:
        def documents(page: Sequence[RunHistory]) -> list[Document]:
            failures = error_redaction.failures_of_rows(page, can_see_errors=self.can_see_errors)
            return history_documents(page, failures)

        rows = row_filters.filter_history(rows, query["filter"])
        return self.cursor_response(query, rows, order, documents)


class JobHistoryView(BaseHistoryView):
    @describe_operation(
        "listHistoryOfJob", page_schema(HistorySerializer), parameters=[*JOB_PATH_PARAMETERS, JobHistoryQuerySerializer]
    )
    def get(self, request: Request, reportType: str, id: int) -> Response:
        """List the runs of one manifest, latest first."""
        query = self.validated_query(JobHistoryQuerySerializer)
        job = job_list.find_job(reportType, id, self.visible_agencies)
        return self.history_response(query, agency_scope.history_of_job(job))

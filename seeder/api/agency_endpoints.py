"""Endpoints for agencies: list and detail."""

from collections.abc import Sequence
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.agency_scoped_view import ReportView
from seeder.api.authentication_and_throttling import READ
from seeder.api.input_serializers import AgencyQuerySerializer
from seeder.api.operation_description import describe_operation, page_schema
from seeder.api.totals_serializers import AgencySerializer
from seeder.domain.monitoring.agency_totals import AgencyTotals
from seeder.services.documents.document_fields import Document
from seeder.services.documents.totals_documents import agency_document
from seeder.services.read_models import agency_list, agency_scope


class BaseAgencyView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_jobstatus"}

    def documents(self, agencies: Sequence[AgencyTotals]) -> list[Document]:
        names = agency_scope.agency_choices([str(one.slug) for one in agencies])
        return [agency_document(one, names) for one in agencies]


class AgencyListView(BaseAgencyView):
    @describe_operation(
        "listAgencies", page_schema(AgencySerializer, is_counted=True), parameters=[AgencyQuerySerializer]
    )
    def get(self, request: Request) -> Response:
        """List agencies with the totals of their jobs, by slug."""
        query = self.validated_query(AgencyQuerySerializer)
        page = agency_list.fetch_page(self.visible_agencies, query.get("cursor"), max_rows=query["size"])
        return self.page_response(page, self.documents(page.rows), count=page.count)


class AgencyDetailView(BaseAgencyView):
    @describe_operation("getAgency", AgencySerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Get one agency with the totals of its jobs."""
        return Response(self.documents([agency_list.find_agency(slug, self.visible_agencies)])[0])

"""Endpoints for queued requests: list, status and cancellation."""

from collections.abc import Sequence
from typing import ClassVar

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.agency_scoped_view import ReportView
from seeder.api.authentication_and_throttling import READ, WRITE
from seeder.api.input_serializers import RequestQuerySerializer
from seeder.api.operation_description import describe_operation, page_schema
from seeder.api.queue_serializers import CancelResultSerializer, RequestStatusSerializer
from seeder.cancel_errors import RequestEnded, RequestShared
from seeder.domain.queue.queued_requests import FINAL_STATES
from seeder.models import QueuedRefresh
from seeder.services.documents.document_fields import Document
from seeder.services.documents.queue_documents import request_document
from seeder.services.queue import cancellation, part_rows, queue_overview
from seeder.services.read_models import agency_scope, request_list
from seeder.services.read_models.keyset_pagination import PageOrder

CANCEL_ERROR_STATUSES = (
    ((RequestEnded,), status.HTTP_409_CONFLICT),
    ((RequestShared,), status.HTTP_403_FORBIDDEN),
)


class BaseRequestView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_queuedrefresh"}

    def document(self, parts: Sequence[QueuedRefresh], agencies: list[str] | None) -> Document:
        return request_document(parts, agencies, can_see_errors=self.can_see_errors)


class RequestListView(BaseRequestView):
    @describe_operation("listRequests", page_schema(RequestStatusSerializer), parameters=[RequestQuerySerializer])
    def get(self, request: Request) -> Response:
        """List queued requests with their parts, latest first."""
        query = self.validated_query(RequestQuerySerializer)
        part_rows.require_table()
        agencies = agency_scope.narrow(self.visible_agencies, query.get("agencies"))
        return self.cursor_response(
            query,
            request_list.requests_of(agencies, query.get("states", ())),
            PageOrder(time="requested_at"),
            lambda rows: [self.document(parts, agencies) for parts in request_list.parts_of(rows, agencies)],
        )


class RequestStatusView(BaseRequestView):
    @describe_operation("getRequest", RequestStatusSerializer)
    def get(self, request: Request, requestId: str) -> Response:
        """Get the status of a queued request."""
        parts = queue_overview.find_request(requestId, self.visible_agencies)
        return Response(self.document(parts, self.visible_agencies))


class CancelRequestView(BaseRequestView):
    required_permissions: ClassVar = {WRITE: "seeder.refresh_views"}
    error_statuses: ClassVar = (*CANCEL_ERROR_STATUSES, *ReportView.error_statuses)

    @describe_operation("cancelRequest", CancelResultSerializer, status=(status.HTTP_200_OK, status.HTTP_202_ACCEPTED))
    def post(self, request: Request, requestId: str) -> Response:
        """Cancel a queued or running request, and those that joined it. Finished views stay refreshed.

        The status is 202 while a worker still stops its refreshes, and otherwise 200. A repeated call changes nothing.
        """
        agencies = self.visible_agencies
        parts = cancellation.cancel_request(requestId, requested_by=request.user.get_username(), agencies=agencies)
        document, url = self.document(parts, agencies), self.url_for("queued", kwargs={"requestId": requestId})
        return (
            Response({**document, "url": url}) if document["status"] in FINAL_STATES else self.accepted(document, url)
        )

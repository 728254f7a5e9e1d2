"""Refreshes asked for, and how far they have come."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.describing import JOB, described
from seeder.api.door import Door
from seeder.api.logins import READ, WRITE
from seeder.api.queue_serializers import QueuedSerializer, RequestStateSerializer
from seeder.domain.names import ViewName
from seeder.domain.requests import AgencyReports, RefreshRequest, SingleView
from seeder.errors import UnknownAgency
from seeder.services.queue import queueing, request_state
from seeder.services.reading import monitoring

_LONGEST_KEY = 100  # characters
_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": _LONGEST_KEY},
    OpenApiParameter.HEADER,
    description="asked again with the same key, the same user gets the same answer, and nothing is queued twice",
)
_ASKED = {status.HTTP_202_ACCEPTED: QueuedSerializer}


class RefreshDoor(Door):
    needs: ClassVar = {WRITE: "seeder.refresh_views"}

    def ask(self, request: Request, wanted: RefreshRequest) -> Response:
        queued = queueing.ask(wanted, asked_by=request.user.get_username(), idempotency_key=self._key(request))
        url = None
        if queued.request_id is not None:
            url = self.address("queued", kwargs={"requestId": queued.request_id})
        answer = QueuedSerializer(queued, context={"url": url, "agencies": self.agencies}).data
        return Response(answer, status=status.HTTP_202_ACCEPTED, headers={"Location": url} if url else {})

    def _key(self, request: Request) -> str | None:
        """As it is known to all doors: two users may well think of the same one."""
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return None
        if not (0 < len(key) <= _LONGEST_KEY and key.isprintable()):
            raise ValidationError({"Idempotency-Key": [f"It has to be 1 to {_LONGEST_KEY} printable characters."]})
        return f"api {request.user.pk} {key}"


class RefreshJob(RefreshDoor):
    @described("refreshJob", request=None, parameters=[*JOB, _KEY], responses=_ASKED)
    def post(self, request: Request, reportType: str, id: int) -> Response:  # noqa: A002, N803  # as in the path
        """Have the view of one manifest refreshed. Whoever asks while it is queued already joins that request."""
        job = monitoring.find(reportType, id, self.agencies)
        return self.ask(request, SingleView(name=ViewName.parse(job.table_name)))


class RefreshAgency(RefreshDoor):
    @described("refreshAgency", request=None, parameters=[_KEY], responses=_ASKED)
    def post(self, request: Request, slug: str) -> Response:
        """Have all views of one agency refreshed."""
        if self.agencies is not None and slug not in self.agencies:
            raise UnknownAgency(slug=slug, nearest="")
        return self.ask(request, AgencyReports(slug=slug))


class QueuedRequest(Door):
    needs: ClassVar = {READ: "seeder.view_queuedrefresh"}

    @described("getRequest", responses=RequestStateSerializer)
    def get(self, request: Request, requestId: str) -> Response:  # noqa: ARG002, N803
        """How far a request has come."""
        state = request_state.find(requestId, self.agencies)
        context: dict[str, Any] = {"sees_errors": self.sees_errors}
        return Response(RequestStateSerializer(state, context=context).data)

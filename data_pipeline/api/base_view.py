"""The base class of API views of the loading lane."""

from functools import cached_property
from typing import Any, ClassVar

from django.urls import reverse
from rest_framework import status
from rest_framework.response import Response

from data_pipeline.artefact_errors import SourceChanged, UnsupportedFormat, UnsupportedScheme
from data_pipeline.correction_errors import (
    NotFileLoad,
    NotReplayable,
    NotVerifiable,
    RejectsChanged,
    RejectsNotReplayable,
    UndoRefused,
)
from data_pipeline.errors import (
    LoadInProgress,
    LoadTakenOver,
    NormalizingNeedsUtf8,
    PiiKeyMissing,
    PipelineError,
    RelationMissing,
    TableBusy,
)
from data_pipeline.services.load_requests import QueuedRequest
from data_pipeline.services.load_scope import LoadScope, scope_of
from data_pipeline.services.request_documents import queued_document
from data_pipeline.storage_errors import StorageUnusable
from seeder.api.agency_scoped_view import ReportView
from seeder.api.exception_handler import ErrorStatuses

APP_NAME = "pipeline-api"
SEE_RAW = "data_pipeline.see_raw"


class PipelineView(ReportView):
    """A view of loads: with the errors of this app, and the agencies of the user.

    The first matching status counts.
    """

    error_statuses: ClassVar[ErrorStatuses] = (
        *ReportView.error_statuses,
        (
            (StorageUnusable, RelationMissing, NormalizingNeedsUtf8, PiiKeyMissing),
            status.HTTP_503_SERVICE_UNAVAILABLE,
        ),
        ((LoadInProgress, LoadTakenOver, TableBusy, SourceChanged), status.HTTP_409_CONFLICT),
        ((UndoRefused, RejectsChanged, RejectsNotReplayable), status.HTTP_409_CONFLICT),
        ((NotFileLoad, NotReplayable, NotVerifiable), status.HTTP_409_CONFLICT),
        ((UnsupportedFormat, UnsupportedScheme), status.HTTP_415_UNSUPPORTED_MEDIA_TYPE),
        ((PipelineError,), status.HTTP_422_UNPROCESSABLE_ENTITY),
    )

    @cached_property
    def scope(self) -> LoadScope:
        """What the user may see. Raises `ConfigurationError` or `DatabaseError`."""
        return scope_of(self.request.user)

    @cached_property
    def shows_values(self) -> bool:
        """Whether the user may see values, and messages that quote them."""
        return bool(self.request.user.has_perm(SEE_RAW))

    def accepted_request(self, queued: QueuedRequest) -> Response:
        """Return the response for a queued request, with its URL."""
        return self.accepted(queued_document(queued), self.url_for("request", kwargs={"id": queued.request_id}))

    def url_for(self, name: str, **reverse_options: Any) -> str:
        """Return the absolute URL of an endpoint, also from a bare path.

        Prefers the namespace of this request.
        """
        match = self.request.resolver_match
        namespace = match.namespace if match and APP_NAME in match.app_names else APP_NAME
        return self.request.build_absolute_uri(reverse(f"{namespace}:{name}", **reverse_options))

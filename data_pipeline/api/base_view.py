"""The base class of API views of the loading lane."""

from typing import Any, ClassVar

from django.urls import reverse
from rest_framework import status

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
from data_pipeline.storage_errors import StorageUnusable
from seeder.api.agency_scoped_view import ReportView
from seeder.api.exception_handler import ErrorStatuses

APP_NAME = "pipeline-api"


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

    def url_for(self, name: str, **reverse_options: Any) -> str:
        """Return the absolute URL of an endpoint, also from a bare path.

        Prefers the namespace of this request.
        """
        match = self.request.resolver_match
        namespace = match.namespace if match and APP_NAME in match.app_names else APP_NAME
        return self.request.build_absolute_uri(reverse(f"{namespace}:{name}", **reverse_options))

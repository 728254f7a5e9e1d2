"""The base class of this app's own API views."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import status
from rest_framework.response import Response

from seeder.api import pagination
from seeder.api.base_view import SeederView
from seeder.api.exception_handler import ErrorStatuses
from seeder.errors import (
    AmbiguousView,
    NothingToCapture,
    SnapshotTaken,
    UnknownAgency,
    UnknownJob,
    UnknownRequest,
    UnknownRun,
    UnknownSnapshot,
    UnknownTable,
)
from seeder.services.read_models import agency_scope, error_redaction, keyset_pagination


class ReportView(SeederView):
    """A view whose data depends on the user's agencies."""

    error_statuses: ClassVar[ErrorStatuses] = (
        (
            (UnknownAgency, UnknownJob, UnknownRequest, UnknownRun, UnknownSnapshot, UnknownTable, NothingToCapture),
            status.HTTP_404_NOT_FOUND,
        ),
        ((AmbiguousView, SnapshotTaken), status.HTTP_409_CONFLICT),
    )

    @cached_property
    def visible_agencies(self) -> list[str] | None:
        """Slugs of the visible agencies, or None for all. Raises `ConfigurationError`."""
        return agency_scope.agencies_of(self.request.user)

    @cached_property
    def can_see_errors(self) -> bool:
        return bool(self.request.user.has_perm(error_redaction.PERMISSION))

    def cursor_response(
        self,
        query: Mapping[str, Any],
        rows: Callable[[], QuerySet[Any]],
        order_column: str,
        documents: Callable[[Sequence[Any]], Sequence[Any]],
    ) -> Response:
        """Return the documents of the rows on the requested page. Raises `DatabaseError`."""
        page, cursor = keyset_pagination.fetch_page(rows, order_column, query.get("after"), max_rows=query["size"])
        return Response(pagination.cursor_page(self.request, cursor, documents(page)))

"""The base class of this app's own API views."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import status
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from seeder.api.base_view import SeederView
from seeder.api.cursor_text import encode_cursor
from seeder.api.exception_handler import ErrorStatuses
from seeder.errors import AmbiguousView, NothingToCapture, SnapshotTaken, UnknownObject
from seeder.services.read_models import agency_scope, error_redaction, keyset_pagination
from seeder.services.read_models.keyset_pagination import Cursor, CursorPage, PageOrder
from seeder.services.storable_text import is_storable


class ReportView(SeederView):
    """A view whose data depends on the user's agencies."""

    error_statuses: ClassVar[ErrorStatuses] = (
        ((UnknownObject, NothingToCapture), status.HTTP_404_NOT_FOUND),
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
        rows: QuerySet[Any] | Sequence[QuerySet[Any]],
        order: PageOrder,
        documents: Callable[[Sequence[Any]], Sequence[Any]],
    ) -> Response:
        """Return the documents of the rows on the requested page."""
        given = chain.from_iterable(value if isinstance(value, list) else [value] for value in query.values())
        if not all(is_storable(value) for value in given if isinstance(value, str)):
            rows = (rows if isinstance(rows, QuerySet) else rows[0]).none()
        page = keyset_pagination.fetch_page(rows, order, query.get("cursor"), max_rows=query["size"])
        return self.page_response(page, documents(page.rows))

    def page_response(self, page: CursorPage, results: Sequence[Any], **facts: object) -> Response:
        """Return the documents of a page with the URLs of its neighbours, after further facts of the list."""
        links = {"next": self._url_at(page.next), "previous": self._url_at(page.previous)}
        return Response({**facts, **links, "results": results})

    def _url_at(self, cursor: Cursor | None) -> str | None:
        return self.url_with("cursor", encode_cursor(cursor)) if cursor else None

    def url_with(self, parameter: str, value: object) -> str:
        """Return the URL of this request with another value of a query parameter."""
        return replace_query_param(self.request.build_absolute_uri(), parameter, str(value))

"""Endpoints for the data checks of a view: list, changes, results, and decisions on a held view."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from seeder.api.agency_scoped_view import ReportView
from seeder.api.authentication_and_throttling import READ, WRITE
from seeder.api.check_serializers import (
    AcceptanceSerializer,
    CheckChangesSerializer,
    CheckDecisionSerializer,
    CheckedRefreshSerializer,
    CheckQuerySerializer,
    CheckSerializer,
    NewCheckSerializer,
    NewWaiverSerializer,
    ViewDatabaseSerializer,
)
from seeder.api.operation_description import describe_operation, page_schema
from seeder.data_check_errors import (
    CheckChanged,
    CheckExists,
    CheckOfFile,
    CheckTableUnusable,
    HeldAgain,
    NoBaseline,
    NotHeld,
    SqlChecksOff,
    ViewShared,
)
from seeder.domain.data_checks.definitions import CheckDefinition
from seeder.domain.manifests import ViewKey
from seeder.models import DataCheck
from seeder.services.data_checks import check_access, check_editing, waivers
from seeder.services.data_checks.check_access import EDIT_PERMISSION, VIEW_PERMISSION
from seeder.services.data_checks.waivers import HeldChecks
from seeder.services.documents import data_check_documents
from seeder.services.documents.document_fields import Document
from seeder.services.manifest_access import Editor
from seeder.services.read_models import check_results
from seeder.services.read_models.keyset_pagination import PageOrder

_NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="name of the view, in any spelling")
_CHECK = OpenApiParameter("check", str, OpenApiParameter.PATH, description="name of the data check")
_EDIT_ERRORS = {
    403: "Permission denied, SQL of users is off, or the view has agencies that are not visible.",
    409: "The check exists, was changed meanwhile, or is kept in a file.",
}
_DECISION_ERRORS = {
    403: "Permission denied, or the view has agencies that are not visible.",
    409: "The view is not held by this check, was held again since, or has no baseline to replace.",
}


class BaseCheckView(ReportView):
    error_statuses: ClassVar = (
        ((SqlChecksOff, ViewShared), status.HTTP_403_FORBIDDEN),
        ((CheckExists, CheckChanged, CheckOfFile, NotHeld, HeldAgain, NoBaseline), status.HTTP_409_CONFLICT),
        ((CheckTableUnusable,), status.HTTP_503_SERVICE_UNAVAILABLE),
        *ReportView.error_statuses,
    )

    def find_view(self, name: str, query: Mapping[str, Any] | None = None) -> ViewKey:
        """Return the view of the path. The query parameters can name its database."""
        query = self.validated_query(ViewDatabaseSerializer) if query is None else query
        return check_access.find_view(name, self.visible_agencies, database=query.get("database"))

    @property
    def editor(self) -> Editor:
        return Editor.of(self.request.user)

    def document_of(self, row: DataCheck) -> Document:
        [listed] = check_results.list_checks([row], can_see_data=self.can_see_errors)
        return data_check_documents.check_document(listed)


class CheckListView(BaseCheckView):
    required_permissions: ClassVar = {READ: VIEW_PERMISSION, WRITE: EDIT_PERMISSION}

    @describe_operation("listChecks", page_schema(CheckSerializer), parameters=[_NAME, CheckQuerySerializer])
    def get(self, request: Request, name: str) -> Response:
        """List the data checks of a view with their latest results, earliest first."""
        query = self.validated_query(CheckQuerySerializer)
        return self.cursor_response(
            query,
            check_access.checks_of_view(self.find_view(name, query)),
            PageOrder(is_ascending=True),
            lambda rows: [
                data_check_documents.check_document(one)
                for one in check_results.list_checks(rows, can_see_data=self.can_see_errors)
            ],
        )

    @describe_operation(
        "createCheck",
        CheckSerializer,
        request=NewCheckSerializer,
        status=status.HTTP_201_CREATED,
        errors=_EDIT_ERRORS,
        parameters=[_NAME, ViewDatabaseSerializer],
    )
    def post(self, request: Request, name: str) -> Response:
        """Add a data check to a view. It runs with the next refresh."""
        view, values = self.find_view(name), self.validated_body(NewCheckSerializer)
        row = check_editing.create_check(view, CheckDefinition(view=str(view.name), **values), editor=self.editor)
        url = self.url_for("check", kwargs={"name": str(view.name), "check": row.check_name})
        if "database" in request.query_params:
            url = replace_query_param(url, "database", view.database)
        return Response(self.document_of(row), status=status.HTTP_201_CREATED, headers={"Location": url})


class CheckDetailView(BaseCheckView):
    required_permissions: ClassVar = {READ: VIEW_PERMISSION, "PATCH": EDIT_PERMISSION, "DELETE": EDIT_PERMISSION}

    @describe_operation("getCheck", CheckSerializer, parameters=[_NAME, _CHECK, ViewDatabaseSerializer])
    def get(self, request: Request, name: str, check: str) -> Response:
        """Get one data check with its latest result."""
        return Response(self.document_of(check_access.find_check(self.find_view(name), check)))

    @describe_operation(
        "changeCheck",
        CheckSerializer,
        request=CheckChangesSerializer,
        status=status.HTTP_200_OK,
        errors=_EDIT_ERRORS,
        parameters=[_NAME, _CHECK, ViewDatabaseSerializer],
    )
    def patch(self, request: Request, name: str, check: str) -> Response:
        """Change a data check. Its name and its kind stay.

        After a change by another user, `version` is outdated and the answer is 409.
        """
        row, changes = check_access.find_check(self.find_view(name), check), self.validated_body(CheckChangesSerializer)
        version = changes.pop("version")
        return Response(self.document_of(check_editing.change_check(row, changes, version=version, editor=self.editor)))

    @describe_operation(
        "removeCheck",
        None,
        status=status.HTTP_204_NO_CONTENT,
        errors=_EDIT_ERRORS,
        parameters=[_NAME, _CHECK, ViewDatabaseSerializer],
    )
    def delete(self, request: Request, name: str, check: str) -> Response:
        """Remove a data check. Its results and waivers stay."""
        check_editing.remove_check(check_access.find_check(self.find_view(name), check), editor=self.editor)
        return Response(status=status.HTTP_204_NO_CONTENT)


class BaseDecisionView(BaseCheckView):
    required_permissions: ClassVar = {WRITE: waivers.PERMISSION}

    def held(self, name: str, check: str, run_id: str) -> HeldChecks:
        """Return the check of the path. Raises `ViewShared`."""
        view = self.find_view(name)
        check_access.require_all_agencies(view.name, self.visible_agencies)
        return HeldChecks(table_name=str(view.name), check_names=[check], database=view.database, run_id=run_id)


class WaiveCheckView(BaseDecisionView):
    @describe_operation(
        "waiveCheck",
        CheckDecisionSerializer,
        request=NewWaiverSerializer,
        status=status.HTTP_200_OK,
        errors=_DECISION_ERRORS,
        parameters=[_NAME, _CHECK, ViewDatabaseSerializer],
    )
    def post(self, request: Request, name: str, check: str) -> Response:
        """Let the next refresh of a held view be published, unless its data are worse.

        The waiver is used once. It replaces an unused one, so a repeated call has the effect of one. A view that is
        held by several checks needs a waiver for each.
        """
        values = self.validated_body(NewWaiverSerializer)
        [row] = waivers.waive_checks(
            self.held(name, check, values["run_id"]),
            reason=values["reason"],
            granted_by=request.user.get_username(),
            hours=values["hours"],
        )
        return Response(data_check_documents.decision_document(row))


class AcceptCheckView(BaseDecisionView):
    @describe_operation(
        "acceptCheck",
        CheckDecisionSerializer,
        request=AcceptanceSerializer,
        status=status.HTTP_200_OK,
        errors=_DECISION_ERRORS,
        parameters=[_NAME, _CHECK, ViewDatabaseSerializer],
    )
    def post(self, request: Request, name: str, check: str) -> Response:
        """Make the rows that were held the baseline of a row count or a drift check."""
        values = self.validated_body(AcceptanceSerializer)
        [row] = waivers.accept_checks(
            self.held(name, check, values["run_id"]),
            reason=values["reason"],
            granted_by=request.user.get_username(),
        )
        return Response(data_check_documents.decision_document(row))


class CheckResultListView(BaseCheckView):
    required_permissions: ClassVar = {READ: VIEW_PERMISSION}

    @describe_operation(
        "listCheckResults", page_schema(CheckedRefreshSerializer), parameters=[_NAME, CheckQuerySerializer]
    )
    def get(self, request: Request, name: str) -> Response:
        """List the refreshes of a view that were checked, with the results, latest first."""
        query = self.validated_query(CheckQuerySerializer)
        view = self.find_view(name, query)
        return self.cursor_response(
            query,
            check_results.checked_history(view),
            PageOrder(key="history_id"),
            lambda rows: [
                data_check_documents.checked_refresh_document(one)
                for one in check_results.checked_refreshes(
                    [row.history_id for row in rows], can_see_data=self.can_see_errors
                )
            ],
        )

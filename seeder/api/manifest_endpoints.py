"""Endpoints for manifests: list, detail, creation, change, removal of subscriptions, and the check of a query."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext
from rest_framework import status
from rest_framework.exceptions import MethodNotAllowed, NotFound, ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.agency_scoped_view import ReportView
from seeder.api.authentication_and_throttling import READ, WRITE
from seeder.api.manifest_serializers import (
    ManifestChangesSerializer,
    ManifestQuerySerializer,
    ManifestSerializer,
    NewManifestSerializer,
    QueryToValidateSerializer,
    QueryTrialSerializer,
)
from seeder.api.operation_description import JOB_PATH_PARAMETERS, describe_operation, page_schema
from seeder.domain.manifests import ReportType
from seeder.manifest_errors import (
    AlreadySubscribed,
    EditingOff,
    ManifestChanged,
    ManifestExists,
    ReportExists,
    ReportShared,
    ViewTaken,
)
from seeder.services import manifest_access, manifest_editing, query_validation
from seeder.services.documents import manifest_documents
from seeder.services.documents.document_fields import Document
from seeder.services.manifest_access import EDIT_PERMISSION, VIEW_PERMISSION, Editor
from seeder.services.read_models import agency_scope, manifest_list
from seeder.services.read_models.manifest_list import ListedManifest, ManifestFilter

_WRITE_ERRORS = {403: "Permission denied, editing is off, or a canned report has other subscribers."}


class BaseManifestView(ReportView):
    error_statuses: ClassVar = (
        ((EditingOff, ReportShared), status.HTTP_403_FORBIDDEN),
        ((ManifestChanged, ViewTaken, ManifestExists, ReportExists, AlreadySubscribed), status.HTTP_409_CONFLICT),
        *ReportView.error_statuses,
    )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse changes and checks before their bodies are read while editing is off."""
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS and hasattr(self, str(request.method).lower()):
            manifest_access.require_setting()

    @property
    def editor(self) -> Editor:
        return Editor.of(self.request.user)

    def documents(self, rows: Sequence[ListedManifest]) -> list[Document]:
        names = agency_scope.names_of((row.manifest.agency_id, row.manifest.agency_slug) for row in rows)
        return manifest_documents.listed_manifest_documents(rows, names)

    def document_of(self, report_type: str, manifest_id: int) -> Document:
        if report_type not in {*ReportType}:
            raise NotFound
        return self.documents([manifest_list.find_manifest(report_type, manifest_id, self.visible_agencies)])[0]


class ManifestListView(BaseManifestView):
    required_permissions: ClassVar = {READ: VIEW_PERMISSION, WRITE: EDIT_PERMISSION}

    @describe_operation("listManifests", page_schema(ManifestSerializer), parameters=[ManifestQuerySerializer])
    def get(self, request: Request) -> Response:
        """List manifests with their queries and definition drift, custom ones first, also disabled ones."""
        query = self.validated_query(ManifestQuerySerializer)
        agencies = agency_scope.narrow(self.visible_agencies, query.get("agencies"))
        wanted = ManifestFilter(agencies=agencies, report_types=query.get("report_types"))
        return self.cursor_response(
            query,
            manifest_list.manifest_positions(wanted),
            manifest_list.PAGE_ORDER,
            lambda rows: self.documents(manifest_list.manifests_at([row.position for row in rows])),
        )

    @describe_operation(
        "createManifest",
        ManifestSerializer,
        request=NewManifestSerializer,
        status=status.HTTP_201_CREATED,
        errors=_WRITE_ERRORS,
    )
    def post(self, request: Request) -> Response:
        """Create a custom manifest, or subscribe an agency to a canned report. The query is validated first."""
        new = NewManifestSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        report_type, manifest_id = new.validated_data["report_type"], self._create(new)
        path = {"reportType": report_type, "id": manifest_id}
        headers = {"Location": self.url_for("manifest", kwargs=path)}
        return Response(self.document_of(report_type, manifest_id), status=status.HTTP_201_CREATED, headers=headers)

    def _create(self, new: NewManifestSerializer) -> int:
        """Return the id of the created manifest."""
        values, editor = new.validated_data, self.editor
        agency = manifest_access.require_agency(values["agency_slug"], values.get("agency_id"), editor)
        if "canned_report_id" in values:
            return manifest_editing.subscribe(values["canned_report_id"], agency, editor=editor).pk
        if values["report_type"] == ReportType.CANNED:
            return manifest_editing.create_canned_manifest(new.definition, agency, editor=editor).pk
        enabled = values.get("enabled", True)
        return manifest_editing.create_custom_manifest(new.definition, agency, enabled=enabled, editor=editor).pk


class ManifestDetailView(BaseManifestView):
    required_permissions: ClassVar = {READ: VIEW_PERMISSION, "PATCH": EDIT_PERMISSION, "DELETE": EDIT_PERMISSION}

    @describe_operation("getManifest", ManifestSerializer, parameters=JOB_PATH_PARAMETERS)
    def get(self, request: Request, reportType: str, id: int) -> Response:
        """Get one manifest with its query and definition drift."""
        return Response(self.document_of(reportType, id))

    @describe_operation(
        "changeManifest",
        ManifestSerializer,
        request=ManifestChangesSerializer,
        status=status.HTTP_200_OK,
        errors=_WRITE_ERRORS,
        parameters=JOB_PATH_PARAMETERS,
    )
    def patch(self, request: Request, reportType: str, id: int) -> Response:
        """Change a manifest. For a canned one, change the report of all its subscribers.

        The query is validated first. After a change by another user, `version` is outdated and the answer is 409.
        """
        changes = self.validated_body(ManifestChangesSerializer)
        version = changes.pop("version")
        report_id = self.document_of(reportType, id)["cannedReportId"]
        if reportType == ReportType.CUSTOM:
            manifest_editing.change_custom_manifest(id, changes, version=version, editor=self.editor)
        elif "enabled" in changes:
            message = gettext("This manifest has no such field. Remove the subscription instead.")
            raise ValidationError({"enabled": [message]})
        else:
            manifest_editing.change_canned_report(report_id, changes, version=version, editor=self.editor)
        return Response(self.document_of(reportType, id))

    @describe_operation(
        "removeManifest",
        None,
        status=status.HTTP_204_NO_CONTENT,
        errors={**_WRITE_ERRORS, 405: "A custom manifest is disabled instead."},
        parameters=JOB_PATH_PARAMETERS,
    )
    def delete(self, request: Request, reportType: str, id: int) -> Response:
        """Remove the subscription to a canned report. The view and its history stay."""
        if reportType == ReportType.CUSTOM:
            raise MethodNotAllowed("DELETE", detail=gettext("A custom manifest cannot be removed. Disable it instead."))
        if reportType != ReportType.CANNED:
            raise NotFound
        manifest_editing.unsubscribe(id, editor=self.editor)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ValidateQueryView(BaseManifestView):
    required_permissions: ClassVar = {WRITE: EDIT_PERMISSION}

    @describe_operation(
        "validateQuery",
        QueryTrialSerializer,
        request=QueryToValidateSerializer,
        status=status.HTTP_200_OK,
        errors=_WRITE_ERRORS,
    )
    def post(self, request: Request) -> Response:
        """Try a query without storing it. A query that PostgreSQL refuses is a result, too, with its position."""
        body = QueryToValidateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user: Any = request.user
        trial = query_validation.check(
            body.definition, editor=self.editor, can_see_data=query_validation.can_see_data(user)
        )
        return Response(manifest_documents.trial_document(trial))

"""Endpoints for release snapshots: list, detail, comparison and capture."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api import pagination
from seeder.api.access_control import READ, WRITE
from seeder.api.input_serializers import CaptureRequestSerializer, ComparisonQuerySerializer, SnapshotQuerySerializer
from seeder.api.openapi_decorators import cursor_page_schema, describe_operation
from seeder.api.report_view import ReportView
from seeder.api.snapshot_serializers import (
    CaptureSerializer,
    ComparisonSerializer,
    SnapshotSerializer,
    SnapshotSummarySerializer,
)
from seeder.domain.snapshots.snapshot_json import comparison_json, snapshot_json
from seeder.services.queue import enqueue_capture
from seeder.services.read_models import agency_scope, keyset_pagination
from seeder.services.snapshots import release_snapshots


class SnapshotListView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_releasesnapshot", WRITE: "seeder.capture_releasesnapshot"}

    @describe_operation(
        "listSnapshots", parameters=[SnapshotQuerySerializer], responses=cursor_page_schema(SnapshotSummarySerializer)
    )
    def get(self, request: Request) -> Response:
        """List snapshots without their columns, latest first."""
        query = self.validated_query(SnapshotQuerySerializer)
        cursor = pagination.require_numeric_cursor(query.get("after"))
        filters = {"table_name": query.get("table"), "release_tag": query.get("tag")}
        given_filters = {name: value for name, value in filters.items() if value is not None}
        page = keyset_pagination.fetch_page(
            lambda: agency_scope.snapshot_rows_of(self.visible_agencies).filter(**given_filters),
            "captured_at",
            cursor,
            max_rows=query["size"],
        )
        return Response(
            pagination.cursor_page(request, page, pagination.serialize_all(SnapshotSummarySerializer(), page.rows))
        )

    @describe_operation(
        "captureSnapshot", request=CaptureRequestSerializer, responses={status.HTTP_202_ACCEPTED: CaptureSerializer}
    )
    def post(self, request: Request) -> Response:
        """Queue a capture of one view under a release tag."""
        serializer = CaptureRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        capture: dict[str, Any] = dict(serializer.validated_data)
        agency_scope.require_visible_table(capture["table_name"], self.visible_agencies)
        enqueue_capture.enqueue_capture(**capture)
        identity = {"tableName": capture["table_name"], "releaseTag": capture["release_tag"]}
        url = f"{self.url_for('snapshots')}?{urlencode(identity)}"
        answer = CaptureSerializer({**identity, "url": url}).data
        return Response(answer, status=status.HTTP_202_ACCEPTED, headers={"Location": url})


class SnapshotDetailView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_releasesnapshot"}

    @describe_operation("getSnapshot", responses=SnapshotSerializer)
    def get(self, request: Request, id: int) -> Response:  # noqa: A002, ARG002  # name of the path
        """Get one snapshot with its columns and their statistics."""
        return Response(SnapshotSerializer(snapshot_json(agency_scope.snapshot(id, self.visible_agencies))).data)


class SnapshotComparisonView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_releasesnapshot"}

    @describe_operation("compareSnapshots", parameters=[ComparisonQuerySerializer], responses=ComparisonSerializer)
    def get(self, request: Request) -> Response:  # noqa: ARG002  # DRF passes it
        """Compare two snapshots and rate each difference."""
        query = self.validated_query(ComparisonQuerySerializer)
        base, other = (agency_scope.snapshot(query[which], self.visible_agencies) for which in ("base", "compare"))
        comparison = release_snapshots.compare_snapshots(base, other, across_views=query["across_views"])
        return Response(ComparisonSerializer(comparison_json(comparison)).data)

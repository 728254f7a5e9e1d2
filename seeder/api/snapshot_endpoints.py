"""Endpoints for release snapshots: list, detail, comparison and capture."""

from typing import ClassVar
from urllib.parse import urlencode

from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.agency_scoped_view import ReportView
from seeder.api.authentication_and_throttling import READ, WRITE
from seeder.api.document_serializers import (
    CaptureSerializer,
    ComparisonSerializer,
    SnapshotSerializer,
    SnapshotSummarySerializer,
)
from seeder.api.input_serializers import CaptureRequestSerializer, ComparisonQuerySerializer, SnapshotQuerySerializer
from seeder.api.operation_description import describe_operation, page_schema
from seeder.domain.queue.queued_requests import CaptureRequest
from seeder.services.documents import snapshot_documents
from seeder.services.queue import enqueue
from seeder.services.read_models import agency_scope
from seeder.services.read_models.keyset_pagination import PageOrder
from seeder.services.snapshots import release_snapshots


class SnapshotListView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_releasesnapshot", WRITE: "seeder.capture_releasesnapshot"}

    @describe_operation("listSnapshots", page_schema(SnapshotSummarySerializer), parameters=[SnapshotQuerySerializer])
    def get(self, request: Request) -> Response:
        """List snapshots without their columns, latest first."""
        query = self.validated_query(SnapshotQuerySerializer)
        filters = {name: query[name] for name in ("table_name", "release_tag") if name in query}
        return self.cursor_response(
            query,
            agency_scope.snapshot_rows_of(self.visible_agencies).filter(**filters),
            PageOrder(time="captured_at"),
            lambda rows: [*map(snapshot_documents.snapshot_summary_document, rows)],
        )

    @describe_operation("captureSnapshot", CaptureSerializer, request=CaptureRequestSerializer)
    def post(self, request: Request) -> Response:
        """Queue a capture of one view under a release tag."""
        capture = CaptureRequest(**self.validated_body(CaptureRequestSerializer))
        agency_scope.require_visible_table(capture.table_name, self.visible_agencies)
        enqueue.enqueue_capture(capture)
        identity = {"tableName": capture.table_name, "releaseTag": capture.release_tag}
        url = f"{self.url_for('snapshots')}?{urlencode(identity)}"
        return self.accepted(identity, url)


class SnapshotDetailView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_releasesnapshot"}

    @describe_operation("getSnapshot", SnapshotSerializer)
    def get(self, request: Request, id: int) -> Response:
        """Get one snapshot with its columns and their statistics."""
        snapshot = agency_scope.snapshot(id, self.visible_agencies)
        return Response(snapshot_documents.snapshot_document(snapshot))


class SnapshotComparisonView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_releasesnapshot"}

    @describe_operation("compareSnapshots", ComparisonSerializer, parameters=[ComparisonQuerySerializer])
    def get(self, request: Request) -> Response:
        """Compare two snapshots and rate each difference."""
        query = self.validated_query(ComparisonQuerySerializer)
        base, other = (agency_scope.snapshot(query[name], self.visible_agencies) for name in ("base", "compare"))
        comparison = release_snapshots.compare_snapshots(base, other, across_views=query["across_views"])
        return Response(snapshot_documents.comparison_document(comparison))

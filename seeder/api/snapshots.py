"""Release snapshots: the list, one of them, two compared, and a capture asked for."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api import pages
from seeder.api.describing import described, slice_of
from seeder.api.door import Door
from seeder.api.logins import READ, WRITE
from seeder.api.questions import CaptureQuestion, ComparisonQuestion, SnapshotQuestion
from seeder.api.snapshot_serializers import (
    CaptureSerializer,
    ComparisonSerializer,
    SnapshotRowSerializer,
    SnapshotSerializer,
)
from seeder.domain.documents import comparison_json, snapshot_json
from seeder.services.queue import capture_queueing
from seeder.services.reading import slices, visibility
from seeder.services.snapshots import release_snapshots


class Snapshots(Door):
    needs: ClassVar = {READ: "seeder.view_releasesnapshot", WRITE: "seeder.capture_releasesnapshot"}

    @described("listSnapshots", parameters=[SnapshotQuestion], responses=slice_of(SnapshotRowSerializer))
    def get(self, request: Request) -> Response:
        """The snapshots, the latest first, without their columns."""
        asked = self.asked(SnapshotQuestion)
        place = pages.with_number(asked.get("after"))
        wanted = {"table_name": asked.get("table"), "release_tag": asked.get("tag")}
        only = {name: value for name, value in wanted.items() if value is not None}
        cut = slices.cut(
            lambda: visibility.snapshot_rows_of(self.agencies).filter(**only), "captured_at", place, most=asked["size"]
        )
        return Response(pages.slice_(request, cut, pages.answers(SnapshotRowSerializer(), cut.rows)))

    @described("captureSnapshot", request=CaptureQuestion, responses={status.HTTP_202_ACCEPTED: CaptureSerializer})
    def post(self, request: Request) -> Response:
        """Queue the capture of one view under a release tag."""
        read = CaptureQuestion(data=request.data)
        read.is_valid(raise_exception=True)
        asked: dict[str, Any] = dict(read.validated_data)
        visibility.insist_on_table(asked["table_name"], self.agencies)
        capture_queueing.ask(**asked)
        about = {"tableName": asked["table_name"], "releaseTag": asked["release_tag"]}
        url = f"{self.address('snapshots')}?{urlencode(about)}"
        answer = CaptureSerializer({**about, "url": url}).data
        return Response(answer, status=status.HTTP_202_ACCEPTED, headers={"Location": url})


class OneSnapshot(Door):
    needs: ClassVar = {READ: "seeder.view_releasesnapshot"}

    @described("getSnapshot", responses=SnapshotSerializer)
    def get(self, request: Request, id: int) -> Response:  # noqa: A002, ARG002  # as in the path
        """One snapshot with its columns and what they hold."""
        return Response(SnapshotSerializer(snapshot_json(visibility.snapshot(id, self.agencies))).data)


class Comparison(Door):
    needs: ClassVar = {READ: "seeder.view_releasesnapshot"}

    @described("compareSnapshots", parameters=[ComparisonQuestion], responses=ComparisonSerializer)
    def get(self, request: Request) -> Response:  # noqa: ARG002  # what is asked is read from it elsewhere
        """What is different in the second of two snapshots, and how much it matters."""
        asked = self.asked(ComparisonQuestion)
        base, other = (visibility.snapshot(asked[which], self.agencies) for which in ("base", "compare"))
        compared = release_snapshots.compare_snapshots(base, other, across_views=asked["across_views"])
        return Response(ComparisonSerializer(comparison_json(compared)).data)

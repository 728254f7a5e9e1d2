"""Runs: the list, one of them, and its history rows."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api import pages
from seeder.api.describing import described, slice_of
from seeder.api.door import Door
from seeder.api.jobs import HistoryDoor
from seeder.api.logins import READ
from seeder.api.questions import RunQuestion, SliceQuestion
from seeder.api.serializers import HistorySerializer, RunDetailSerializer, RunSerializer
from seeder.services.reading import slices, timelines


class RunDoor(Door):
    needs: ClassVar = {READ: "seeder.view_run"}


class Runs(RunDoor):
    @described("listRuns", parameters=[RunQuestion], responses=slice_of(RunSerializer))
    def get(self, request: Request) -> Response:
        """Every run with its totals, the latest first."""
        asked = self.asked(RunQuestion)
        agencies = self.agencies
        if "agency" in asked:
            agencies = [asked["agency"]] if agencies is None or asked["agency"] in agencies else []
        cut = slices.cut(lambda: timelines.runs_of(agencies), "started_at", asked.get("after"), most=asked["size"])
        return Response(
            pages.slice_(request, cut, pages.answers(RunSerializer(), timelines.totals(cut.rows, agencies)))
        )


class OneRun(RunDoor):
    @described("getRun", responses=RunDetailSerializer)
    def get(self, request: Request, runId: str) -> Response:  # noqa: ARG002, N803  # as in the path
        """One run: its totals and what it waited for."""
        run, holds = timelines.summary(runId, self.agencies)
        return Response(RunDetailSerializer(run, context={"holds": holds}).data)


class RunRows(HistoryDoor):
    @described("listHistoryOfRun", parameters=[SliceQuestion], responses=slice_of(HistorySerializer))
    def get(self, request: Request, runId: str, **_: Any) -> Response:  # noqa: N803
        """The history rows of one run, the latest first."""
        asked = self.asked(SliceQuestion)
        place = pages.with_number(asked.get("after"))
        timelines.summary(runId, self.agencies)
        rows = slices.cut(lambda: timelines.history_of(runId, self.agencies), "start_time", place, most=asked["size"])
        return self.answer(request, rows)

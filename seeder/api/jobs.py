"""Jobs: the list, one of them, and its history."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api import pages
from seeder.api.describing import JOB, described, page_of, slice_of
from seeder.api.door import Door
from seeder.api.logins import READ
from seeder.api.questions import JobQuestion, SliceQuestion, listing
from seeder.api.serializers import HistorySerializer, JobSerializer
from seeder.domain.jobs import GroupBy, Job, JobFilter
from seeder.models import RunHistory
from seeder.services.reading import failures, monitoring, slices, visibility


class JobDoor(Door):
    needs: ClassVar = {READ: "seeder.view_jobstatus"}

    def shown(self, jobs: Sequence[Job]) -> Any:
        context = {
            "names": visibility.names_of((job.agency_id, job.agency_slug) for job in jobs),
            "whys": failures.of_jobs(jobs),
            "sees_errors": self.sees_errors,
        }
        return pages.answers(JobSerializer(context=context), jobs)


class Jobs(JobDoor):
    @described("listJobs", parameters=[JobQuestion], responses=page_of(JobSerializer))
    def get(self, request: Request) -> Response:
        """The latest state of every enabled manifest."""
        asked = self.asked(JobQuestion)
        number, size = asked.pop("page"), asked.pop("size")
        wanted = listing(asked.pop("ordering"), number, size)
        found = monitoring.page(JobFilter(visible_agencies=self.agencies, **asked), wanted, by=GroupBy.MANIFEST)
        page = pages.page(request, found.jobs, total=found.total, number=number, size=size)
        return Response({**page, "results": self.shown(found.jobs)})


class OneJob(JobDoor):
    @described("getJob", parameters=JOB, responses=JobSerializer)
    def get(self, request: Request, reportType: str, id: int) -> Response:  # noqa: A002, ARG002, N803  # as in the path
        """The latest state of one manifest."""
        return Response(self.shown([monitoring.find(reportType, id, self.agencies)])[0])


class HistoryDoor(Door):
    needs: ClassVar = {READ: "seeder.view_runhistory"}

    def answer(self, request: Request, cut: slices.Slice[RunHistory]) -> Response:
        context = {"whys": failures.of_rows(cut.rows), "sees_errors": self.sees_errors}
        return Response(pages.slice_(request, cut, pages.answers(HistorySerializer(context=context), cut.rows)))


class JobHistory(HistoryDoor):
    @described("listHistoryOfJob", parameters=[*JOB, SliceQuestion], responses=slice_of(HistorySerializer))
    def get(self, request: Request, reportType: str, id: int) -> Response:  # noqa: A002, N803
        """The runs of one manifest, the latest first."""
        asked = self.asked(SliceQuestion)
        place = pages.with_number(asked.get("after"))
        job = monitoring.find(reportType, id, self.agencies)
        rows = slices.cut(lambda: visibility.history_of_job(job), "start_time", place, most=asked["size"])
        return self.answer(request, rows)

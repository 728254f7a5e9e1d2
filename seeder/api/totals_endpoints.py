"""The endpoint for dashboards: totals of jobs, and what runs, waits and is paused now."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.agency_scoped_view import ReportView
from seeder.api.authentication_and_throttling import READ
from seeder.api.operation_description import describe_operation
from seeder.api.totals_serializers import TotalsSerializer
from seeder.services.documents.totals_documents import totals_document
from seeder.services.read_models import current_activity


class TotalsView(ReportView):
    required_permissions: ClassVar = {READ: "seeder.view_jobstatus"}

    @describe_operation("getTotals", TotalsSerializer)
    def get(self, request: Request) -> Response:
        """Get the totals of jobs, runs and the queue, for a dashboard.

        `runs` and `queue` are null without the permission to view them.
        """
        has_perm = request.user.has_perm
        activity = current_activity.read_activity(
            self.visible_agencies,
            with_runs=has_perm("seeder.view_run"),
            with_queue=has_perm("seeder.view_queuedrefresh"),
        )
        return Response(totals_document(activity))

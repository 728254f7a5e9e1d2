"""The page of one run: its timeline, holds and views."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from seeder.admin.charts import timeline_chart
from seeder.domain.outcomes import Status
from seeder.domain.view_names import is_storable_text
from seeder.errors import UnknownRun
from seeder.services.read_models import agency_scope, run_timeline


def run_page(request: HttpRequest, site: AdminSite, *, run_id: str) -> HttpResponse:
    if not is_storable_text(run_id):
        raise UnknownRun(run_id=run_id)
    timeline = run_timeline.timeline(run_id, agency_scope.agencies_of(request.user))
    context = {
        **site.each_context(request),
        "title": f"Run for {timeline.run.description}",
        "run": timeline.run,
        "timeline": timeline,
        "chart": timeline_chart(timeline, site),
        "holds": [(hold, (hold.finished_at or timeline.end) - hold.started_at) for hold in timeline.holds],
        "live": timeline.run.status is Status.RUNNING,
    }
    return TemplateResponse(request, "seeder/run.html", context)

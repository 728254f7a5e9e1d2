"""One run: what it did with its time."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from seeder.admin import places
from seeder.admin.pictures import reason_in_words, timeline_chart
from seeder.domain.names import is_storable_text
from seeder.domain.outcomes import Status
from seeder.errors import UnknownRun
from seeder.services.reading import timelines, visibility


def run_page(request: HttpRequest, site: AdminSite, *, run_id: str) -> HttpResponse:
    if not is_storable_text(run_id):
        raise UnknownRun(run_id=run_id)
    found = timelines.timeline(run_id, visibility.agencies_of(request.user))
    context = {
        **site.each_context(request),
        "title": f"Run for {found.run.description}",
        "run": found.run,
        "took": (found.run.finished_at or found.now) - found.run.started_at,
        "timeline": found,
        "chart": timeline_chart(found, site),
        "bars": [
            {"bar": bar, "url": places.view(site, bar.table_name), "reason": bar.reason and reason_in_words(bar.reason)}
            for bar in found.bars
        ],
        "waits": [
            {
                "wait": wait,
                "reason": reason_in_words(wait.reason),
                "took": (wait.finished_at or found.run.finished_at or found.now) - wait.started_at,
            }
            for wait in found.holds
        ],
        "live": found.run.status is Status.RUNNING,
        "history": places.listed(site, "runhistory", q=run_id),
    }
    return TemplateResponse(request, "seeder/run.html", context)

"""The page that explains why a view is in its state."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from seeder.services.read_models.view_explanation import explain_view
from seeder.services.read_models.view_reader import viewer_of
from seeder.services.translation import translated
from seeder.texts import Text


def explanation_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show each decision about a view as a sentence, what it depends on, and what a refresh now would do."""
    database = request.GET.get("database")
    explanation = explain_view(request.GET.get("table", ""), viewer_of(request.user), database=database)
    context = {
        **site.each_context(request),
        "title": translated(Text("Explanation of {view}", view=str(explanation.story.view.name))),
        "story": explanation.story,
        "decisions": explanation.decisions,
        "expectations": explanation.expectations,
        "outlook": explanation.outlook,
    }
    return TemplateResponse(request, "seeder/explanation.html", context)

"""The page of freshness contracts."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from seeder.services import freshness_links
from seeder.services.read_models import agency_scope
from seeder.services.read_models.freshness_overview import freshness_overview

_MAX_CONTRACTS = 500


def freshness_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show the contracts of the agencies that the user may see, most urgent first."""
    overview = freshness_overview(agency_scope.agencies_of(request.user), with_fresh=_MAX_CONTRACTS)
    context = {
        **site.each_context(request),
        "title": gettext("Freshness contracts"),
        "overview": overview,
        "counts": [(state, count) for state, count in overview.counts.items() if count],
        "contracts": overview.statuses[:_MAX_CONTRACTS],
        "contract_count": overview.total,
        "can_share": request.user.has_perm(freshness_links.PERMISSION),
    }
    return TemplateResponse(request, "seeder/freshness.html", context)

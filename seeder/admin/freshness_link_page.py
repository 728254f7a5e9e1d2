"""The page with the badge of an agency, for pages that its readers see."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from seeder.errors import UnknownAgency
from seeder.freshness_errors import EmbedsNotMounted
from seeder.services import freshness_links
from seeder.services.freshness_links import FreshnessLink
from seeder.services.read_models import agency_scope
from seeder.services.translation import translated

_MAX_DAYS = 3650


class LinkForm(forms.Form):
    """The agency, and the validity of the link."""

    agency = forms.ChoiceField(label=_("Agency"))
    days = forms.IntegerField(
        label=_("Expires after days"),
        required=False,
        min_value=1,
        max_value=_MAX_DAYS,
        help_text=_("Empty: never. FRESHNESS_LINK_VERSIONS revokes the links of an agency."),
    )

    def __init__(self, *arguments: Any, agencies: dict[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["agency"].choices = agencies.items()  # type: ignore[attr-defined]


def freshness_link_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show a signed link for an agency that the user may see."""
    agencies = dict(agency_scope.agency_choices(agency_scope.agencies_of(request.user)))
    wanted = request.GET.get("agency")
    if wanted is not None and wanted not in agencies:
        raise UnknownAgency(slug=wanted, suggestion="")
    form = LinkForm(None if wanted is None else request.GET, agencies=agencies, auto_id="%s", label_suffix="")
    link, problem = None, ""
    if form.is_valid():
        try:
            link = _link(request, form)
        except EmbedsNotMounted as error:
            problem = translated(error)
    context = {
        **site.each_context(request),
        "title": gettext("Badges for readers"),
        "form": form,
        "link": link,
        "problem": problem,
        "agencies": agencies,
    }
    return TemplateResponse(request, "seeder/freshness_link.html", context)


def _link(request: HttpRequest, form: LinkForm) -> FreshnessLink:
    days = form.cleaned_data["days"]
    expires_at = None if days is None else timezone.now() + timedelta(days=days)
    origin = request.build_absolute_uri("/")
    return freshness_links.create_link(form.cleaned_data["agency"], expires_at=expires_at, origin=origin)

"""The page that mutes the notifications of a view."""

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from seeder.admin import page_urls
from seeder.data_check_errors import DataCheckError
from seeder.domain.manifests import ViewKey
from seeder.notification_errors import BadMute
from seeder.services import contract_installation
from seeder.services.data_checks import check_access
from seeder.services.notifications import mutes
from seeder.services.read_models import agency_scope
from seeder.services.translation import translated
from seeder.texts import Text


class MuteForm(forms.Form):
    """The reason and the end."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("It is stored and shown with your name."),
    )
    hours = forms.IntegerField(
        label=_("Ends after hours"),
        min_value=1,
        max_value=mutes.MAX_HOURS,
        initial=mutes.DEFAULT_HOURS,
        help_text=_("If the view then differs from what was notified last, that is notified."),
    )


def mute_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show the mute of a view. Start or end it after a POST."""
    agencies = agency_scope.agencies_of(request.user)
    database = request.GET.get("database") or None
    view = check_access.find_view(request.GET.get("table", ""), agencies, database=database)
    form = MuteForm(request.POST if "mute" in request.POST else None, auto_id="%s", label_suffix="")
    if request.method == "POST" and (form.is_valid() or "end" in request.POST):
        try:
            check_access.require_all_agencies(view.name, agencies)
            _change(request, form, view)
        except (BadMute, DataCheckError) as error:
            messages.error(request, translated(error))
        else:
            return HttpResponseRedirect(page_urls.view(site, str(view.name)))
    reason = contract_installation.why_unreadable(DEFAULT_DB_ALIAS, mutes.TABLE)
    context = {
        **site.each_context(request),
        "title": translated(Text("Notifications of {view}", view=str(view.name))),
        "view": view,
        "form": form,
        "unavailable": reason,
        "current": None if reason else mutes.current_mute(view),
    }
    return TemplateResponse(request, "seeder/mute.html", context)


def _change(request: HttpRequest, form: MuteForm, view: ViewKey) -> None:
    user = request.user.get_username()
    if "end" in request.POST:
        mutes.end_mute(view, ended_by=user)
        done = Text("The notifications of {view} are sent again.", view=str(view.name))
        messages.success(request, translated(done))
        return
    hours = form.cleaned_data["hours"]
    mutes.mute(view, reason=form.cleaned_data["reason"], hours=hours, muted_by=user)
    done = Text.counted(
        "The notifications of {view} are muted for {number} hour.",
        "The notifications of {view} are muted for {number} hours.",
        hours,
        view=str(view.name),
    )
    messages.success(request, translated(done))

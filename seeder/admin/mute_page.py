"""The page that mutes the notifications of a view."""

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from seeder.admin import page_urls
from seeder.data_check_errors import DataCheckError
from seeder.domain.manifests import ViewKey
from seeder.notification_errors import BadMute
from seeder.services import contract_installation
from seeder.services.data_checks import check_access
from seeder.services.notifications import mutes
from seeder.services.read_models import agency_scope


class MuteForm(forms.Form):
    """The reason and the end."""

    reason = forms.CharField(
        label="Reason",
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        help_text="It is stored and shown with your name.",
    )
    hours = forms.IntegerField(
        label="Ends after hours",
        min_value=1,
        max_value=mutes.MAX_HOURS,
        initial=mutes.DEFAULT_HOURS,
        help_text="If the view then differs from what was notified last, that is notified.",
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
            messages.error(request, str(error))
        else:
            return HttpResponseRedirect(page_urls.view(site, str(view.name)))
    reason = contract_installation.why_unreadable(DEFAULT_DB_ALIAS, mutes.TABLE)
    context = {
        **site.each_context(request),
        "title": f"Notifications of {view.name}",
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
        messages.success(request, f"The notifications of {view.name} are sent again.")
        return
    hours = form.cleaned_data["hours"]
    mutes.mute(view, reason=form.cleaned_data["reason"], hours=hours, muted_by=user)
    messages.success(request, f"The notifications of {view.name} are muted for {hours} hours.")

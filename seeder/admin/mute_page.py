"""The page that mutes the notifications of a view or a source of loads."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from seeder.admin import page_urls
from seeder.data_check_errors import DataCheckError
from seeder.notification_errors import BadMute
from seeder.services import contract_installation
from seeder.services.data_checks import check_access
from seeder.services.notifications import mutes
from seeder.services.notifications.mutes import MuteSubject
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
        help_text=_("If the state then differs from what was notified last, that is notified."),
    )


def mute_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show the mute of a view. Start or end it after a POST."""
    agencies = agency_scope.agencies_of(request.user)
    database = request.GET.get("database") or None
    view = check_access.find_view(request.GET.get("table", ""), agencies, database=database)
    return show_mute(
        request,
        site,
        MuteSubject(database=view.database, name=str(view.name)),
        url=page_urls.view(site, str(view.name)),
        authorize=lambda: check_access.require_all_agencies(view.name, agencies),
    )


def show_mute(  # noqa: PLR0913  # what the pages of views and of sources differ in
    request: HttpRequest,
    site: AdminSite,
    subject: MuteSubject,
    *,
    url: str,
    authorize: Callable[[], object] = lambda: None,
    template: str = "seeder/mute.html",
) -> HttpResponse:
    """Show the form that mutes a subject, or its mute. Start or end it after a POST, and return to `url`.

    `authorize` raises `DataCheckError` if the user may not change it.
    """
    form = MuteForm(request.POST if "mute" in request.POST else None, auto_id="%s", label_suffix="")
    if request.method == "POST" and (form.is_valid() or "end" in request.POST):
        try:
            authorize()
            _change(request, form, subject)
        except (BadMute, DataCheckError) as error:
            messages.error(request, translated(error))
        else:
            return HttpResponseRedirect(url)
    reason = contract_installation.why_unreadable(DEFAULT_DB_ALIAS, mutes.TABLE)
    context = {
        **site.each_context(request),
        "title": translated(Text("Notifications of {view}", view=subject.name)),
        "subject": subject,
        "url": url,
        "form": form,
        "unavailable": reason,
        "current": None if reason else mutes.current_mute(subject),
    }
    return TemplateResponse(request, template, context)


def _change(request: HttpRequest, form: MuteForm, subject: MuteSubject) -> None:
    user = request.user.get_username()
    if "end" in request.POST:
        mutes.end_mute(subject, ended_by=user)
        done = Text("The notifications of {view} are sent again.", view=subject.name)
        messages.success(request, translated(done))
        return
    hours = form.cleaned_data["hours"]
    mutes.mute(subject, reason=form.cleaned_data["reason"], hours=hours, muted_by=user)
    done = Text.counted(
        "The notifications of {view} are muted for {number} hour.",
        "The notifications of {view} are muted for {number} hours.",
        hours,
        view=subject.name,
    )
    messages.success(request, translated(done))

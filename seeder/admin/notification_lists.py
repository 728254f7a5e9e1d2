"""The list of notifications."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from seeder.admin import list_cells
from seeder.admin.check_lists import ChoiceFilter
from seeder.admin.error_pages import error_page
from seeder.admin.report_lists import ReportAdmin
from seeder.domain.notifications.delivery import DeliveryState
from seeder.domain.notifications.events import Event
from seeder.models import Notification
from seeder.services import contract_installation
from seeder.services.read_models import agency_scope, name_search
from seeder.services.translation import translated
from seeder.texts import Text

_STATE_TEXTS: Mapping[str, Text] = {
    DeliveryState.PENDING: Text("pending"),
    DeliveryState.SENT: Text("sent"),
    DeliveryState.FAILED: Text("failed"),
    DeliveryState.GONE: Text.in_context("receiver", "gone"),
}
_EVENT_TEXTS: Mapping[str, Text] = {
    Event.RUN_FINISHED: Text("run finished"),
    Event.VIEW_FAILED: Text("view failed"),
    Event.VIEW_HELD: Text("view held"),
    Event.VIEW_RECOVERED: Text("view recovered"),
    Event.VIEW_LATE: Text("view late"),
    Event.LOAD_FAILED: Text("load failed"),
    Event.LOAD_RECOVERED: Text("load recovered"),
}


class DeliveryFilter(ChoiceFilter):
    title, parameter_name = _("state"), "state"

    def lookups(self, _: HttpRequest, _admin: Any) -> Sequence[tuple[str, str]]:
        return [(state, translated(text)) for state, text in _STATE_TEXTS.items()]


@admin.register(Notification)
class NotificationAdmin(ReportAdmin):
    """The notifications of each channel, with the error of the last attempt."""

    indexed_fields = ("channel",)
    list_display = ("created", "state_text", "what", "about", "channel", "error")
    list_filter = (DeliveryFilter,)
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    sortable_by = ("created",)
    search_fields = ("subject",)
    search_help_text = _("Part of a view's name, a source of loads in the default database, or a run id.")

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, row: Notification) -> str:
        return list_cells.instant(row.created_at)

    @admin.display(description=_("event"))
    def what(self, row: Notification) -> str:
        return translated(_EVENT_TEXTS.get(row.event, row.event))

    @admin.display(description=_("state"))
    def state_text(self, row: Notification) -> str:
        return translated(_STATE_TEXTS.get(row.state, row.state))

    @admin.display(description=_("about"))
    def about(self, row: Notification) -> str:
        """Return the view without the default database, the source of loads, or the run."""
        return row.subject.removeprefix(f"{DEFAULT_DB_ALIAS}:")

    def filter_by_agencies(self, rows: QuerySet[Any], agencies: list[str]) -> QuerySet[Any]:
        return rows.filter(facts__agencies__has_any_keys=agencies)

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        names = [f"{DEFAULT_DB_ALIAS}:{name}" for name in agency_scope.name_spellings(term)]
        return rows.filter(subject__in=[term, *names, *name_search.notified_subjects(term)])

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if reason := contract_installation.why_unreadable(DEFAULT_DB_ALIAS, "seeder_notification"):
            return error_page(
                request, self.admin_site, Text("Notifications are unavailable: {reason}.", reason=reason), status=200
            )
        return super().changelist_view(request, extra_context)

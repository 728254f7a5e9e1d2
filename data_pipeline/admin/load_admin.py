"""The list of loads, and the URLs of their pages."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db import transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import MD5
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from data_pipeline.admin import page_urls
from data_pipeline.admin.load_actions import LOAD_ACTIONS, LoadAction
from data_pipeline.admin.load_cells import instant_text, labelled
from data_pipeline.admin.load_page import action_page, file_name, load_page, mute_page, table_of
from data_pipeline.admin.value_filter import ValueFilter
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.row_ids import parse_row_id
from data_pipeline.errors import UnknownLoad
from data_pipeline.models import LoadLog
from data_pipeline.models.load_log import ADDRESS_HASH
from data_pipeline.services import page_facts
from data_pipeline.services.load_listing import STATUS_CONDITIONS, UNDONE
from seeder.admin.error_pages import with_error_page
from seeder.admin.list_cells import ClosedFilter
from seeder.admin.read_only_admin import ReadOnlyAdmin
from seeder.services.translation import translated
from seeder.templatetags.seeder_pages import EMPTY_VALUE, number
from seeder.texts import Text


class StatusFilter(ClosedFilter):
    """Filter by status, with the words of the list."""

    title, parameter_name = _("status"), "status"
    _WORDS: ClassVar[Mapping[str, Text]] = {
        LoadStatus.PENDING: Text("running or stuck"),
        LoadStatus.SUCCESS: Text("loaded"),
        LoadStatus.SKIPPED: Text("loaded, repeated"),
        LoadStatus.FAILED: Text("failed"),
        UNDONE: Text("undone"),  # such a load has failed, so that its file can be loaded again
    }

    def lookups(self, _: HttpRequest, _admin: Any) -> Sequence[tuple[str, str]]:
        return [(str(value), translated(word)) for value, word in self._WORDS.items()]

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        status = self.value()
        if status is None:
            return queryset
        return queryset.filter(STATUS_CONDITIONS[status]) if status in STATUS_CONDITIONS else queryset.none()


class SourceFilter(ValueFilter):
    title, parameter_name = _("source"), "source"
    choices_of = staticmethod(page_facts.known_sources)


class TargetFilter(ValueFilter):
    title, parameter_name = _("table"), "target"
    choices_of = staticmethod(page_facts.known_targets)


@admin.register(LoadLog)
class LoadLogAdmin(ReadOnlyAdmin):
    """The loads, each with its page."""

    list_filter = (StatusFilter, TargetFilter, SourceFilter)
    date_hierarchy = "updated_at"
    ordering = ("-updated_at", "-id")
    sortable_by = ("updated",)
    search_fields: ClassVar[tuple[str, ...]] = ("id",)
    search_help_text = _("Id of a load, or the complete address of a file.")
    change_list_template = "data_pipeline/list.html"
    actions = None

    def get_urls(self) -> list[URLPattern]:
        view = with_error_page(self.admin_site, self._action)
        # What an action commits must be committed before its refreshes are dispatched, even with ATOMIC_REQUESTS.
        view = transaction.non_atomic_requests(self.admin_site.admin_view(view))
        actions = [
            path(f"<int:load_id>/{name}/", view, {"action": action}, name=page_urls.load_action_name(name))
            for name, action in LOAD_ACTIONS.items()
        ]
        mute = self.admin_site.admin_view(with_error_page(self.admin_site, self._mute))
        return [*actions, path("<int:load_id>/mute/", mute, name="data_pipeline_load_mute"), *super().get_urls()]

    def get_list_display(self, _request: HttpRequest) -> tuple[Any, ...]:
        stuck = page_facts.stuck_load_ids()

        @admin.display(description=_("status"))
        def status(load: LoadLog) -> SafeString:
            return status_label(load, is_stuck=load.pk in stuck)

        return ("load", status, "file", "records", "rejected", "updated")

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        load_id = parse_row_id(term)
        by_id = Q() if load_id is None else Q(pk=load_id)
        by_address = Q(address_hash=MD5(Value(term)))
        found: QuerySet[Any] = rows.alias(address_hash=ADDRESS_HASH).filter(by_id | by_address)
        return found

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **_options: Any) -> HttpResponse:
        if not self.has_view_permission(request):
            return super().change_view(request, object_id)  # refuses
        load_id = parse_row_id(object_id)
        if load_id is None:
            raise UnknownLoad(load_id=object_id)
        return load_page(request, self.admin_site, load_id)

    def _action(self, request: HttpRequest, load_id: int, action: LoadAction) -> HttpResponse:
        return action_page(request, self.admin_site, action, load_id=load_id)

    def _mute(self, request: HttpRequest, load_id: int) -> HttpResponse:
        return mute_page(request, self.admin_site, load_id=load_id)

    @admin.display(description=_("load"))
    def load(self, load: LoadLog) -> str:
        return str(load.pk)

    @admin.display(description=_("file and table"))
    def file(self, load: LoadLog) -> SafeString:
        """Return the file, and below it the table: both beside each other are wider than a laptop's page."""
        return format_html('{}<span class="below">{}</span>', file_name(load) or "", table_of(load) or load.source)

    @admin.display(description=_("updated"), ordering="updated_at")
    def updated(self, load: LoadLog) -> str:
        return instant_text(load.updated_at)

    @admin.display(description=_("records"))
    def records(self, load: LoadLog) -> SafeString:
        return labelled(_("records"), number(load.rows_in))

    @admin.display(description=_("rejected"))
    def rejected(self, load: LoadLog) -> SafeString:
        if not load.rows_rejected:
            return labelled(_("rejected"), EMPTY_VALUE)
        url = page_urls.rejects_of(self.admin_site, load.pk)
        return labelled(_("rejected"), format_html('<a href="{}">{}</a>', url, number(load.rows_rejected)))


def status_label(load: LoadLog, *, is_stuck: bool) -> SafeString:
    """Return the status of a load as a sign and a word."""
    context: Mapping[str, Any] = {"load": load, "is_stuck": is_stuck}
    return SafeString(render_to_string("data_pipeline/load_status.html", dict(context)))

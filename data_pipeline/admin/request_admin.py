"""The list of requests to workers of the queue, and the page of each."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from data_pipeline.admin import page_urls
from data_pipeline.admin.load_page import SEE_RAW, name_of_file
from data_pipeline.domain.load_requests import RequestAction, RequestState
from data_pipeline.models import LoadRequest
from data_pipeline.services import request_overview
from seeder.admin.read_only_admin import ReadOnlyAdmin


class StateFilter(admin.SimpleListFilter):
    """Filter by state. Failed and unfinished requests are found by an index."""

    title = parameter_name = "state"

    def lookups(self, _: HttpRequest, _admin: Any) -> Sequence[tuple[str, str]]:
        return [(name, name) for name in (RequestState.QUEUED, RequestState.RUNNING, "failed", "done")]

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case None:
                return queryset
            case "failed" | "done" as end:
                return queryset.filter(state=RequestState.ENDED, error_message__isnull=end == "done")
            case state:  # the condition of the index on unfinished requests
                return queryset.exclude(state=RequestState.ENDED).filter(state=state)


class ActionFilter(admin.SimpleListFilter):
    title = parameter_name = "action"

    def lookups(self, _: HttpRequest, _admin: Any) -> Sequence[tuple[str, str]]:
        return [(action.value, action.value) for action in RequestAction]

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(LoadRequest)
class LoadRequestAdmin(ReadOnlyAdmin):
    """The requests, latest first."""

    list_filter = (StateFilter, ActionFilter)
    ordering = ("-id",)
    sortable_by = ()
    search_fields: ClassVar[tuple[str, ...]] = ("id",)
    search_help_text = "Id of a request."
    change_list_template = "data_pipeline/list.html"
    actions = None

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        is_id = term.isascii() and term.isdigit() and len(term) < 19
        return rows.filter(pk=int(term)) if is_id else rows.none()

    def get_list_display(self, _: HttpRequest) -> tuple[Any, ...]:
        working = request_overview.working_request_ids()

        @admin.display(description="state")
        def state(row: LoadRequest) -> str:
            return request_overview.status_of(row, is_worker_alive=row.pk in working)

        return ("request", "action", state, "file", "load_link", "requested_by", "created_at", "finished_at")

    def get_fields(self, request: HttpRequest, _: Any = None) -> list[Any]:
        names = ["action", "state_shown", "source_uri", "options", "load_link", "requested_by", "worker", "attempts"]
        # A message can quote values of the file.
        errors = ["error_message"] if request.user.has_perm(SEE_RAW) else []
        return [*names, *errors, "created_at", "dispatched_at", "finished_at"]

    @admin.display(description="request")
    def request(self, row: LoadRequest) -> str:
        return str(row.pk)

    @admin.display(description="state")
    def state_shown(self, row: LoadRequest) -> str:
        is_alive = row.pk in request_overview.working_request_ids()
        return request_overview.status_of(row, is_worker_alive=is_alive)

    @admin.display(description="file")
    def file(self, row: LoadRequest) -> str:
        return name_of_file(row.source_uri)

    @admin.display(description="load")
    def load_link(self, row: LoadRequest) -> SafeString | str:
        if row.load_id is None:
            return ""
        return format_html('<a href="{}">{}</a>', page_urls.load(self.admin_site, row.load_id), row.load_id)

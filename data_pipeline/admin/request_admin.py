"""The list of requests to workers, and a page for each."""

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from data_pipeline.admin.id_list_admin import IdListAdmin
from data_pipeline.admin.load_cells import instant_text, word
from data_pipeline.admin.load_page import SEE_RAW
from data_pipeline.admin.value_filter import WordFilter
from data_pipeline.domain.load_requests import RequestAction, RequestState
from data_pipeline.domain.uris import file_name
from data_pipeline.models import LoadRequest
from data_pipeline.services import request_overview
from seeder.admin.list_cells import ClosedFilter


class StateFilter(ClosedFilter):
    """Filter by state. Failed and unfinished requests are found by an index."""

    title, parameter_name = _("state"), "state"

    def lookups(self, _: HttpRequest, _admin: Any) -> Sequence[tuple[str, str]]:
        return [(name, word(name)) for name in (RequestState.QUEUED, RequestState.RUNNING, "failed", "done")]

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case None:
                return queryset
            case "failed" | "done" as end:
                return queryset.filter(state=RequestState.ENDED, error_message__isnull=end == "done")
            case state:  # the condition of the index on unfinished requests
                return queryset.exclude(state=RequestState.ENDED).filter(state=state)


class ActionFilter(WordFilter):
    title, parameter_name = _("action"), "action"
    words = RequestAction


@admin.register(LoadRequest)
class LoadRequestAdmin(IdListAdmin):
    """The requests, latest first."""

    list_filter = (StateFilter, ActionFilter)
    search_help_text = _("Id of a request.")

    def get_list_display(self, _request: HttpRequest) -> tuple[Any, ...]:
        working = request_overview.working_request_ids()

        @admin.display(description=_("state"))
        def state(row: LoadRequest) -> str:
            return word(request_overview.status_of(row, is_worker_alive=row.pk in working))

        return ("request", "action_text", state, "file", "load_cell", "requested_by", "created")

    def get_fields(self, request: HttpRequest, _: Any = None) -> list[Any]:
        names = ["action_text", "state_shown", "source_uri", "options_shown", "load_link", "requested_by", "worker"]
        # A message can quote values of the file.
        errors = ["error_message"] if request.user.has_perm(SEE_RAW) else []
        return [*names, "attempts", *errors, "created_at", "dispatched_at", "finished_at"]

    @admin.display(description=_("request"))
    def request(self, row: LoadRequest) -> str:
        return str(row.pk)

    @admin.display(description=_("action"))
    def action_text(self, row: LoadRequest) -> str:
        return word(row.action)

    @admin.display(description=_("state"))
    def state_shown(self, row: LoadRequest) -> str:
        is_alive = row.pk in request_overview.working_request_ids()
        return word(request_overview.status_of(row, is_worker_alive=is_alive))

    @admin.display(description=_("options"))
    def options_shown(self, row: LoadRequest) -> str:
        """Return the options without corrected values, which can be personal."""
        return json.dumps({name: value for name, value in row.options.items() if name not in ("corrections", "digest")})

    @admin.display(description=_("created"))
    def created(self, row: LoadRequest) -> str:
        return instant_text(row.created_at)

    @admin.display(description=_("file"))
    def file(self, row: LoadRequest) -> str:
        return file_name(row.source_uri)

"""The drawing of a load's lineage.

Boxes with lines show file, load, table and views from left to right.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from data_pipeline.admin import page_urls
from data_pipeline.admin.id_list_admin import IdListAdmin
from data_pipeline.admin.load_actions import LOAD_ACTIONS, run_action
from data_pipeline.admin.value_filter import ValueFilter
from data_pipeline.domain.dead_letters import LetterState
from data_pipeline.domain.uris import file_name
from data_pipeline.models import LoadDeadLetter, LoadLog
from data_pipeline.services import page_facts

_REPLAY = LOAD_ACTIONS["replay"]


class StateFilter(ValueFilter):
    title = parameter_name = "state"

    @staticmethod
    def choices_of() -> Sequence[str]:
        return [state.value for state in LetterState]


class SourceFilter(ValueFilter):
    title = parameter_name = "source"
    choices_of = staticmethod(page_facts.known_sources)


class TargetFilter(ValueFilter):
    title, parameter_name = "table", "target"
    choices_of = staticmethod(page_facts.known_targets)


@admin.register(LoadDeadLetter)
class LoadDeadLetterAdmin(IdListAdmin):
    """The failed loads of files and objects, latest first. Each has the page of its load."""

    list_filter = (StateFilter, TargetFilter, SourceFilter)
    list_display = ("load_link", "state", "file", "target", "source", "attempts", "next_try_at", "error_code", "failed")
    list_display_links = None
    search_help_text = "Id of a load."
    actions = ("replay",)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer the replay if a worker does it. Otherwise the page of each load has it."""
        return dict(super().get_actions(request)) if _REPLAY.is_queued else {}

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(_REPLAY.permission))

    @admin.action(description="Replay the selected dead letters", permissions=["replay"])
    def replay(self, request: HttpRequest, letters: QuerySet[Any]) -> None:
        for load in LoadLog.objects.filter(pk__in=letters.values("pk")).order_by("pk"):
            run_action(request, self.admin_site, _REPLAY, load)

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **_options: Any) -> HttpResponse:
        row = self.get_object(request, object_id) if self.has_view_permission(request) else None
        if row is None:
            return super().change_view(request, object_id)  # refuses, or reports that there is none
        return HttpResponseRedirect(page_urls.load(self.admin_site, row.pk))

    @admin.display(description="file")
    def file(self, row: LoadDeadLetter) -> str:
        return file_name(row.uri) if row.uri else ""

    @admin.display(description="failed at")
    def failed(self, row: LoadDeadLetter) -> Any:
        return row.updated_at

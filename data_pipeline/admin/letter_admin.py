"""The list of dead letters, which a worker can replay."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from data_pipeline.admin import page_urls
from data_pipeline.admin.id_list_admin import IdListAdmin
from data_pipeline.admin.load_actions import LOAD_ACTIONS, run_action
from data_pipeline.admin.load_admin import SourceFilter, TargetFilter
from data_pipeline.admin.load_cells import instant_text, labelled, word
from data_pipeline.admin.value_filter import WordFilter
from data_pipeline.domain.dead_letters import LetterState
from data_pipeline.domain.uris import file_name
from data_pipeline.models import LoadDeadLetter, LoadLog
from data_pipeline.services.possible_actions import ActionName
from seeder.templatetags.seeder_pages import EMPTY_VALUE

_REPLAY = LOAD_ACTIONS[ActionName.REPLAY]
_STYLES = {LetterState.OPEN: "bad", LetterState.RESOLVED: "good", LetterState.DISMISSED: "quiet"}


class StateFilter(WordFilter):
    title, parameter_name = _("state"), "state"
    words = LetterState


@admin.register(LoadDeadLetter)
class LoadDeadLetterAdmin(IdListAdmin):
    """The failed loads of files and objects, latest first. Each has the page of its load."""

    list_filter = (StateFilter, TargetFilter, SourceFilter)
    list_display = ("load_cell", "reason", "file", "attempts_text", "failed", "next_try")
    list_display_links = None
    search_help_text = _("Id of a load.")
    actions = ("replay",)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Return whether a worker does it, and the user may. The page of each load has the replay, too."""
        return _REPLAY.is_queued and bool(request.user.has_perm(_REPLAY.permission))

    @admin.action(description=_("Replay the selected dead letters"), permissions=["replay"])
    def replay(self, request: HttpRequest, letters: QuerySet[Any]) -> None:
        for load in LoadLog.objects.filter(pk__in=letters.values("pk")).order_by("pk"):
            run_action(request, self.admin_site, _REPLAY, load)

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **_options: Any) -> HttpResponse:
        row = self.get_object(request, object_id) if self.has_view_permission(request) else None
        if row is None:
            return super().change_view(request, object_id)  # refuses, or reports that there is none
        return HttpResponseRedirect(page_urls.load(self.admin_site, row.pk))

    @admin.display(description=_("state and error"))
    def reason(self, row: LoadDeadLetter) -> SafeString:
        style, code = _STYLES[LetterState(row.state)], row.error_code or ""
        return format_html(
            '<span class="load-status {}">{}</span><span class="below">{}</span>', style, word(row.state), code
        )

    @admin.display(description=_("file and table"))
    def file(self, row: LoadDeadLetter) -> SafeString:
        name = file_name(row.uri) if row.uri else ""
        return format_html('{}<span class="below">{}</span>', name, row.target or row.source)

    @admin.display(description=_("attempts"))
    def attempts_text(self, row: LoadDeadLetter) -> SafeString:
        return labelled(_("attempts"), row.attempts)

    @admin.display(description=_("failed"))
    def failed(self, row: LoadDeadLetter) -> SafeString:
        return labelled(_("failed"), instant_text(row.updated_at))

    @admin.display(description=_("next try"))
    def next_try(self, row: LoadDeadLetter) -> SafeString:
        if row.next_try_at is not None:
            return labelled(_("next try"), instant_text(row.next_try_at))
        return labelled(_("next try"), gettext("by an operator") if row.state == LetterState.OPEN else EMPTY_VALUE)

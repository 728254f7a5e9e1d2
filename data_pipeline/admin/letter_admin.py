"""The list of dead letters, and the page of each."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from data_pipeline.admin import page_urls
from data_pipeline.admin.load_page import SEE_RAW, name_of_file
from data_pipeline.domain.dead_letters import LetterState
from data_pipeline.models import LoadDeadLetter
from seeder.admin.read_only_admin import ReadOnlyAdmin


class StateFilter(admin.SimpleListFilter):
    title = parameter_name = "state"

    def lookups(self, _: HttpRequest, _admin: Any) -> Sequence[tuple[str, str]]:
        return [(state.value, state.value) for state in LetterState]

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=self.value()) if self.value() else queryset


@admin.register(LoadDeadLetter)
class LoadDeadLetterAdmin(ReadOnlyAdmin):
    """The dead letters, latest first. The command `dead_letters` replays them."""

    list_filter = (StateFilter,)
    list_display = ("letter", "file", "state", "attempts", "next_try_at", "error_code", "load_link", "updated_at")
    ordering = ("-id",)
    sortable_by = ()
    search_fields: ClassVar[tuple[str, ...]] = ("id",)
    search_help_text = "Id of a dead letter."
    change_list_template = "data_pipeline/list.html"
    actions = None

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        is_id = term.isascii() and term.isdigit() and len(term) < 19
        return rows.filter(pk=int(term)) if is_id else rows.none()

    def get_fields(self, request: HttpRequest, _: Any = None) -> list[Any]:
        names = ["source", "uri", "options", "state", "attempts", "next_try_at", "load_link", "error_code"]
        # A message can quote values of the file.
        errors = ["error_message"] if request.user.has_perm(SEE_RAW) else []
        return [*names, *errors, "created_at", "updated_at"]

    @admin.display(description="dead letter")
    def letter(self, row: LoadDeadLetter) -> str:
        return str(row.pk)

    @admin.display(description="file")
    def file(self, row: LoadDeadLetter) -> str:
        return name_of_file(row.uri)

    @admin.display(description="load")
    def load_link(self, row: LoadDeadLetter) -> SafeString | str:
        if row.load_id is None:
            return ""
        return format_html('<a href="{}">{}</a>', page_urls.load(self.admin_site, row.load_id), row.load_id)

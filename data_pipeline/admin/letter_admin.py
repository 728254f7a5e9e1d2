"""The list of dead letters, and the page of each."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from data_pipeline.admin.id_list_admin import IdListAdmin
from data_pipeline.admin.load_page import SEE_RAW
from data_pipeline.admin.value_filter import ValueFilter
from data_pipeline.domain.dead_letters import LetterState
from data_pipeline.domain.uris import file_name
from data_pipeline.models import LoadDeadLetter


class StateFilter(ValueFilter):
    title = parameter_name = "state"

    @staticmethod
    def choices_of() -> Sequence[str]:
        return [state.value for state in LetterState]


@admin.register(LoadDeadLetter)
class LoadDeadLetterAdmin(IdListAdmin):
    """The dead letters, latest first. The command `dead_letters` replays them."""

    list_filter = (StateFilter,)
    list_display = ("letter", "file", "state", "attempts", "next_try_at", "error_code", "load_link", "updated_at")
    search_help_text = "Id of a dead letter."

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
        return file_name(row.uri)

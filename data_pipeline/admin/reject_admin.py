"""The list of rejects, and a page for each.

The page marks the bad cells.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from data_pipeline.admin import page_urls
from data_pipeline.admin.load_cells import labelled, word
from data_pipeline.admin.load_page import SEE_RAW, file_name
from data_pipeline.admin.value_filter import WordFilter
from data_pipeline.domain.rejects import RejectState
from data_pipeline.domain.row_ids import parse_row_id
from data_pipeline.models import LoadReject
from data_pipeline.services import page_facts
from seeder.admin.list_cells import ClosedFilter
from seeder.admin.read_only_admin import ReadOnlyAdmin
from seeder.services.translation import translated
from seeder.templatetags.seeder_pages import number
from seeder.texts import Text


class StateFilter(WordFilter):
    title, parameter_name = _("state"), "state"
    words = RejectState


class _ProblemFilter(ClosedFilter):
    """Filter by a field of the problems. Only within a load, because no index has them."""

    field: str

    def lookups(self, request: HttpRequest, _admin: Any) -> Sequence[tuple[str, str]]:
        load_id = parse_row_id(request.GET.get("load", ""))
        if load_id is None:
            return []
        position = ("column", "sqlstate").index(self.field)
        values = {problem[position] for problem in page_facts.known_problems(load_id)}
        return [(value, value) for value in sorted(filter(None, values))]

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.filter(problems__contains=[{self.field: self.value()}])


class ColumnFilter(_ProblemFilter):
    title = _("column")
    parameter_name = field = "column"


class SqlstateFilter(_ProblemFilter):
    title, parameter_name = "SQLSTATE", "sqlstate"
    field = parameter_name


@admin.register(LoadReject)
class LoadRejectAdmin(ReadOnlyAdmin):
    """The rejected records, in the order of their files."""

    indexed_fields = ("load",)
    list_filter = (StateFilter, ColumnFilter, SqlstateFilter)
    ordering = ("-load_id", "record_no")
    sortable_by = ()
    change_list_template = "data_pipeline/list.html"
    actions = None

    def visible_rows(self, rows: QuerySet[Any], _: HttpRequest) -> QuerySet[Any]:
        return rows.select_related("load")

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        shows_values = request.user.has_perm(SEE_RAW)

        def show(name: str, heading: Any) -> Any:
            @admin.display(description=heading)
            def cell(row: LoadReject) -> SafeString:
                reject = page_facts.show_reject(row, shows_values=shows_values)
                return SafeString(render_to_string(f"data_pipeline/reject_{name}.html", {"reject": reject}))

            cell.__name__ = name  # the class of the cell
            return cell

        return ("line", "load_link", "state_text", show("problems", _("problems")), show("record", _("record")))

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **_options: Any) -> HttpResponse:
        row = self.get_object(request, object_id) if self.has_view_permission(request) else None
        if row is None:
            return super().change_view(request, object_id)  # refuses, or reports that there is none
        shows_values = request.user.has_perm(SEE_RAW)
        context = {
            **self.admin_site.each_context(request),
            "title": translated(Text("Line {line:,} of load {load_id}", line=row.line_no, load_id=row.load_id)),
            "reject": page_facts.show_reject(row, shows_values=shows_values, is_shortened=False),
            "shows_values": shows_values,
            "file": file_name(row.load),
            "rejects_url": page_urls.rejects_of(self.admin_site, row.load_id),
        }
        return TemplateResponse(request, "data_pipeline/reject.html", context)

    @admin.display(description=_("line"))
    def line(self, row: LoadReject) -> SafeString:
        return labelled(_("line"), number(row.line_no))

    @admin.display(description=_("load"))
    def load_link(self, row: LoadReject) -> SafeString:
        return labelled(_("load"), page_urls.load_link(self.admin_site, row.load_id))

    @admin.display(description=_("state"))
    def state_text(self, row: LoadReject) -> str:
        return word(row.state)

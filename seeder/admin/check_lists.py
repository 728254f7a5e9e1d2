"""The list of data checks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from seeder.admin import check_pages, page_urls
from seeder.admin.error_pages import error_page
from seeder.admin.list_cells import ClosedBooleanFilter, ClosedFilter
from seeder.admin.report_lists import AgencyFilter, ReportAdmin
from seeder.data_check_errors import DataCheckError, UnknownCheck
from seeder.domain.data_checks.results import CheckSeverity
from seeder.domain.data_checks.rules import CheckKind
from seeder.models import DataCheck
from seeder.services import contract_installation
from seeder.services.data_checks import check_access, check_editing
from seeder.services.manifest_access import Editor
from seeder.services.query_validation import can_see_data
from seeder.services.read_models import check_results
from seeder.services.translation import translated
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class _Edit:
    """An edit of several checks."""

    action: str
    button: Text
    question: Text
    result: Callable[[int], Text]


_ENABLE = _Edit(
    action="enable",
    button=Text("Enable"),
    question=Text("Enable these data checks?"),
    result=lambda done: Text("Enabled: {number}.", number=done),
)
_DISABLE = _Edit(
    action="disable",
    button=Text("Disable"),
    question=Text("Disable these data checks?"),
    result=lambda done: Text("Disabled: {number}.", number=done),
)
_REMOVE = _Edit(
    action="remove",
    button=Text("Remove"),
    question=Text("Remove these data checks?"),
    result=lambda done: Text("Removed: {number}.", number=done),
)


class ChoiceFilter(ClosedFilter):
    """Filter by a column with known values."""

    values: Sequence[str]

    def lookups(self, _: HttpRequest, _admin: Any) -> Sequence[tuple[str, str]]:
        return [(str(value), str(value)) for value in self.values]

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class KindFilter(ChoiceFilter):
    title, parameter_name = _("kind"), "kind"
    values = tuple(CheckKind)


class SeverityFilter(ChoiceFilter):
    title, parameter_name = _("severity"), "severity"
    values = tuple(CheckSeverity)


@admin.register(DataCheck)
class DataCheckAdmin(ReportAdmin):
    """The data checks with their latest results, and actions to enable, disable and remove."""

    indexed_fields = ("enabled",)
    list_display = ("check_name", "last_result", "enabled", "definition", "view")
    list_filter = (KindFilter, SeverityFilter, ("enabled", ClosedBooleanFilter), AgencyFilter)
    ordering = ("table_name", "check_name")
    sortable_by = ("check_name",)
    search_help_text = _("Part of a view or a check.")
    actions = ("enable", "disable", "remove")

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return rows.filter(Q(table_name__icontains=term) | Q(check_name__icontains=term))

    def has_view_permission(self, request: HttpRequest, _: Any = None) -> bool:
        permissions = check_access.VIEW_PERMISSION, check_access.EDIT_PERMISSION
        return any(map(request.user.has_perm, permissions))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_edit_permission(self, request: HttpRequest) -> bool:
        return check_pages.why_read_only(request) is None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_edit_permission(request)

    def add_view(self, request: HttpRequest, *_: Any, **_options: Any) -> HttpResponse:
        return check_pages.new_check_page(request, self.admin_site)

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **_options: Any) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise UnknownCheck(view="", check=object_id)
        return check_pages.check_page(request, self.admin_site, row)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if reason := contract_installation.why_unreadable(DEFAULT_DB_ALIAS, "seeder_check"):
            return error_page(
                request, self.admin_site, Text("Data checks are unavailable: {reason}.", reason=reason), status=200
            )
        context = {**(extra_context or {}), "reason": check_pages.why_read_only(request)}
        return super().changelist_view(request, context)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Read the latest results of all rows of the page together."""
        changes = super().get_changelist_instance(request)
        rows = list(changes.result_list)
        listed = check_results.list_checks(rows, can_see_data=can_see_data(request.user))
        for row, one in zip(rows, listed, strict=True):
            row.listed = one
        changes.result_list = rows
        return changes

    @admin.display(description=_("last result"))
    def last_result(self, row: Any) -> str | SafeString:
        if row.listed.problem:
            return translated(Text("cannot be read: {problem}", problem=row.listed.problem))
        if (last := row.listed.last) is None:
            return gettext("never run")
        url = page_urls.view_checks(self.admin_site, last.row.table_name, last.row.database_alias)
        return format_html('<a href="{}">{}</a>', url, translated(check_pages.OUTCOME_TEXTS[last.row.outcome]))

    @admin.display(description=_("kind"))
    def definition(self, row: Any) -> str:
        """Return kind, severity and file in one column: a column for each does not fit 1280 pixels."""
        facts = [row.kind, row.severity]
        if row.source:
            facts.append(translated(Text("from {source}", source=row.source)))
        return ", ".join(facts)

    @admin.action(description=_("Enable the selected data checks"), permissions=["edit"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._edit_selected(request, queryset, _ENABLE)

    @admin.action(description=_("Disable the selected data checks"), permissions=["edit"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._edit_selected(request, queryset, _DISABLE)

    @admin.action(description=_("Remove the selected data checks"), permissions=["edit"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._edit_selected(request, queryset, _REMOVE)

    def _edit_selected(self, request: HttpRequest, queryset: QuerySet[Any], edit: _Edit) -> HttpResponse | None:
        if page := self.confirm(request, queryset, edit.action, translated(edit.question), translated(edit.button)):
            return page
        editor, rows, errors = Editor.of(request.user), list(queryset), []
        for row in rows:
            try:
                if edit is _REMOVE:
                    check_editing.remove_check(row, editor=editor)
                else:
                    check_editing.change_check(row, {"enabled": edit is _ENABLE}, version=None, editor=editor)
            except DataCheckError as error:
                errors.append(translated(error))
        done = len(rows) - len(errors)
        self.report_results(request, done, edit.result(done), errors)
        return None

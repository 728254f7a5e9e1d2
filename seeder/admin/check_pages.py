"""The pages of a data check: read-only, or a form whose fields follow its kind."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from seeder import conf
from seeder.admin import page_urls
from seeder.admin.check_forms import KIND_TEXTS, CheckForm, NewCheckForm
from seeder.data_check_errors import BadCheck, CheckExists, CheckOfFile, DataCheckError, SqlChecksOff
from seeder.domain.data_checks.definitions import CheckDefinition
from seeder.domain.data_checks.results import CheckOutcome
from seeder.domain.data_checks.rules import CheckKind
from seeder.domain.manifests import ViewKey
from seeder.domain.view_names import ViewName
from seeder.errors import BadName, UnknownTable
from seeder.models import DataCheck
from seeder.services.data_checks import check_access, check_editing
from seeder.services.manifest_access import Editor
from seeder.services.query_validation import can_see_data
from seeder.services.read_models import agency_scope, check_results
from seeder.services.translation import translated
from seeder.texts import Text

_NO_PERMISSION = Text(
    "You can see data checks, but not change them: that needs the permission {permission}.",
    permission="seeder.edit_checks",
)
OUTCOME_TEXTS: Mapping[str, Text] = {
    CheckOutcome.PASSED: Text("passed"),
    CheckOutcome.FAILED: Text.in_context("data check", "failed"),
    CheckOutcome.COULD_NOT_RUN: Text("could not run"),
    CheckOutcome.WAIVED: Text("failed, but waived"),
}


def why_read_only(request: HttpRequest, row: DataCheck | None = None) -> str | None:
    """Return why this user cannot change data checks, or this one, or None."""
    if not request.user.has_perm(check_access.EDIT_PERMISSION):
        return _NO_PERMISSION
    if row is not None and row.source is not None:
        return str(CheckOfFile(view=row.table_name, check=row.check_name, source=row.source))
    return check_editing.why_read_only()


def new_check_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Ask for the view and the kind of a new check, then show its form or store it."""
    if reason := why_read_only(request):
        raise PermissionDenied(reason)
    chosen = NewCheckForm(
        request.GET if "kind" in request.GET else None,
        view=request.GET.get("view", ""),
        databases={*conf.load().databases.values()},
    )
    view = _chosen_view(request, chosen)
    context = {**_context(request, site, None), "form": chosen}
    if view is None:
        return TemplateResponse(request, "seeder/new_check.html", context)
    kind = CheckKind(chosen.cleaned_data["kind"])
    form = CheckForm(
        request.POST if request.method == "POST" else None,
        kind=kind,
        columns=check_access.columns_of_view(view),
    )
    if form.is_bound and form.is_valid():
        name = form.cleaned_data["check_name"]
        definition = CheckDefinition(view=str(view.name), name=name, kind=kind, **form.changes)
        try:
            row = check_editing.create_check(view, definition, editor=Editor.of(request.user))
        except DataCheckError as error:
            form.add_error(_field_of(error, form), translated(error))
        else:
            messages.success(request, _stored_text(row))
            return HttpResponseRedirect(page_urls.data_check(site, row.pk))
    context |= {"form": form, "kind": kind, "kind_text": KIND_TEXTS[kind], "view": view}
    return TemplateResponse(request, "seeder/check.html", context)


def _chosen_view(request: HttpRequest, form: NewCheckForm) -> ViewKey | None:
    """Return the view of a new check. Otherwise the form has the errors."""
    if not (form.is_bound and form.is_valid()):
        return None
    agencies = agency_scope.agencies_of(request.user)
    try:
        view = check_access.find_view(form.cleaned_data["view"], agencies, database=form.cleaned_data.get("database"))
        check_access.require_all_agencies(view.name, agencies)
    except (BadName, UnknownTable, DataCheckError) as error:
        form.add_error("view", translated(error))
        return None
    try:
        check_editing.require_writable(form.cleaned_data["kind"])
    except SqlChecksOff as error:
        form.add_error("kind", translated(error))
        return None
    return view


def check_page(request: HttpRequest, site: AdminSite, row: DataCheck) -> HttpResponse:
    """Show a check, or store the form."""
    reason = why_read_only(request, row)
    if reason and request.method == "POST":
        raise PermissionDenied(reason)
    [listed] = check_results.list_checks([row], can_see_data=can_see_data(request.user))
    form = None if reason or listed.problem else _form_of(request, row)
    if form is not None and form.is_bound and form.is_valid():
        try:
            check_editing.change_check(
                row, form.changes, version=form.cleaned_data["version"], editor=Editor.of(request.user)
            )
        except DataCheckError as error:
            form.add_error(_field_of(error, form), translated(error))
        else:
            messages.success(request, _stored_text(row))
            return HttpResponseRedirect(page_urls.data_check(site, row.pk))
    view = ViewName.parse_or_none(row.table_name)
    context = {
        **_context(request, site, row),
        "form": form,
        "reason": reason or (listed.problem and Text("The check cannot be read: {problem}.", problem=listed.problem)),
        "can_edit": reason is None,
        "listed": listed,
        "kind": row.kind,
        "kind_text": KIND_TEXTS.get(row.kind),  # type: ignore[call-overload]  # any text
        "view": None if view is None else ViewKey(database=row.database_alias, name=view),
        "last_text": listed.last and OUTCOME_TEXTS[listed.last.row.outcome],
    }
    return TemplateResponse(request, "seeder/check.html", context)


def _stored_text(row: DataCheck) -> str:
    return translated(Text("The data check {check} is stored. It runs with the next refresh.", check=str(row)))


def _form_of(request: HttpRequest, row: DataCheck) -> CheckForm:
    view = ViewName.parse_or_none(row.table_name)
    key = None if view is None else ViewKey(database=row.database_alias, name=view)
    return CheckForm(
        request.POST if request.method == "POST" else None,
        kind=CheckKind(row.kind),
        columns=check_access.columns_of_view(key) if key else (),
        row=row,
    )


def _context(request: HttpRequest, site: AdminSite, row: DataCheck | None) -> dict[str, Any]:
    return {
        **site.each_context(request),
        "title": gettext("Add data check") if row is None else translated(row),
        "opts": DataCheck._meta,
        "list_url": "admin:seeder_datacheck_changelist",
        "row": row,
    }


def _field_of(error: Exception, form: forms.Form) -> str | None:
    """Return the field that an error is about, if the form shows it."""
    name = None
    if isinstance(error, BadCheck):
        name = {"name": "check_name"}.get(str(error.facts["field"]), str(error.facts["field"]))
    elif isinstance(error, CheckExists):
        name = "check_name"
    elif isinstance(error, SqlChecksOff):
        name = next((one for one in ("expression", "query") if one in form.fields), None)
    return name if name in form.fields else None

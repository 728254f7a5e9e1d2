"""The pages of a custom manifest, a canned report and a subscription: read-only, or a form with a check."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from seeder.admin import list_cells
from seeder.admin.manifest_forms import CustomManifestForm, DefinitionForm, SubscriptionForm
from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import LatestState
from seeder.domain.query_trials import QueryTrial, problem_excerpt
from seeder.errors import BadName, ManifestError
from seeder.manifest_errors import BadManifest, EditingOff, ManifestEditError, QueryRefused
from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest
from seeder.services import manifest_access, manifest_editing, query_validation
from seeder.services.manifest_access import DEFINITION_FIELDS, Editor
from seeder.services.read_models import manifest_list
from seeder.services.translation import translated
from seeder.texts import Text

_NO_PERMISSION = Text(
    "You can see manifests, but not change them: that needs the permission {permission}.",
    permission="seeder.edit_manifests",
)
CHECK = "_check"  # name of the button that tries the query


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportKind:
    """What the pages of custom manifests and of canned reports do not have in common."""

    model: type[CustomReportManifest] | type[CannedReport]
    report_type: ReportType
    form: type[DefinitionForm]
    save: Callable[[DefinitionForm, Any, Editor], CustomReportManifest | CannedReport]  # takes the row, or None


def _save_custom(form: DefinitionForm, row: CustomReportManifest | None, editor: Editor) -> CustomReportManifest:
    values = form.cleaned_data
    if row is None:
        agency = manifest_access.require_agency(values["agency_slug"], values["agency_id"], editor)
        return manifest_editing.create_custom_manifest(
            form.definition, agency, enabled=values["enabled"], editor=editor
        )
    changes = {name: values[name] for name in (*DEFINITION_FIELDS, "enabled")}
    return manifest_editing.change_custom_manifest(row.pk, changes, version=values["version"], editor=editor)


def _save_canned(form: DefinitionForm, row: CannedReport | None, editor: Editor) -> CannedReport:
    if row is None:
        return manifest_editing.create_canned_report(form.definition, editor=editor)
    changes = {name: form.cleaned_data[name] for name in DEFINITION_FIELDS}
    return manifest_editing.change_canned_report(row.pk, changes, version=form.cleaned_data["version"], editor=editor)


CUSTOM = ReportKind(
    model=CustomReportManifest, report_type=ReportType.CUSTOM, form=CustomManifestForm, save=_save_custom
)
CANNED = ReportKind(model=CannedReport, report_type=ReportType.CANNED, form=DefinitionForm, save=_save_canned)


def why_read_only(request: HttpRequest, model: type[Any]) -> str | None:
    """Return why this user cannot change rows of this model, or None. Only an editor's page reads the catalog."""
    try:
        manifest_access.require_setting()
    except EditingOff as reason:
        return str(reason)
    if not request.user.has_perm(manifest_access.EDIT_PERMISSION):
        return _NO_PERMISSION
    return manifest_access.why_read_only(model)


def report_page(request: HttpRequest, site: AdminSite, kind: ReportKind, row: Any = None) -> HttpResponse:
    """Show a report. Check its query without storing it, or store the form."""
    reason = why_read_only(request, kind.model)
    if reason and (request.method == "POST" or row is None):
        raise PermissionDenied(reason)
    form = kind.form(request.POST if request.method == "POST" else None, row=row)
    trial = None
    if form.is_bound and form.is_valid():
        editor = Editor.of(request.user)
        try:
            if CHECK not in request.POST:
                saved = kind.save(form, row, editor)
                messages.success(request, translated(Text("{saved} is stored.", saved=str(saved))))
                return HttpResponseRedirect(_page_url(site, kind.model, saved.pk))
            trial = query_validation.check(
                form.definition,
                editor=editor,
                can_see_data=query_validation.can_see_data(request.user),
                edited=None if row is None else (kind.report_type, row.pk),
            )
        except (ManifestEditError, ManifestError) as error:
            form.add_error(_field_of(error, form), translated(error))
    context = {
        **_context(request, site, kind.model, row),
        "form": form,
        "reason": reason,
        **_facts(request, site, kind, row),
        **_trial_context(form, trial),
    }
    return TemplateResponse(request, "seeder/manifest.html", context)


def subscription_page(request: HttpRequest, site: AdminSite, row: CannedReportManifest | None = None) -> HttpResponse:
    """Show a subscription, or subscribe an agency."""
    reason = why_read_only(request, CannedReportManifest)
    if reason and row is None:
        raise PermissionDenied(reason)
    editor, form = Editor.of(request.user), None
    if row is None:
        reports = manifest_access.canned_reports(editor.agencies).order_by("report_name", "pk")
        data = request.POST if request.method == "POST" else None
        form = SubscriptionForm(data, reports=reports, chosen=request.GET.get("report", ""))
    if form is not None and form.is_bound and form.is_valid():
        values = form.cleaned_data
        try:
            agency = manifest_access.require_agency(values["agency_slug"], values["agency_id"], editor)
            saved = manifest_editing.subscribe(int(values["report"]), agency, editor=editor)
        except ManifestEditError as error:
            form.add_error(_field_of(error, form), translated(error))
        else:
            done = Text("{agency} subscribes to the report.", agency=agency.slug)
            messages.success(request, translated(done))
            return HttpResponseRedirect(_page_url(site, CannedReport, saved.canned_report_id))
    context = {
        **_context(request, site, CannedReportManifest, row),
        "form": form,
        "reason": reason,
        **_subscription_facts(row),
    }
    return TemplateResponse(request, "seeder/subscription.html", context)


def _page_url(site: AdminSite, model: type[Any], pk: int, *, page: str = "change") -> str:
    return reverse(f"admin:seeder_{model._meta.model_name}_{page}", args=[pk], current_app=site.name)


def _context(request: HttpRequest, site: AdminSite, model: type[Any], row: Any) -> Mapping[str, Any]:
    name = model._meta.verbose_name
    return {
        **site.each_context(request),
        "title": translated(Text("Add {name}", name=str(name))) if row is None else translated(row),
        "opts": model._meta,
        "list_url": f"admin:seeder_{model._meta.model_name}_changelist",
        "row": row,
    }


def _field_of(error: Exception, form: forms.Form) -> str | None:
    """Return the field that an error is about, if the form shows it."""
    name = None
    if isinstance(error, BadManifest):
        name = str(error.facts["field"])
    elif isinstance(error, BadName):
        name = "table_name"
    elif isinstance(error, QueryRefused):
        name = "query"
    return name if name in form.fields else None


def _facts(request: HttpRequest, site: AdminSite, kind: ReportKind, row: Any) -> Mapping[str, Any]:
    """Return the drift, the status and the subscriptions of a stored report."""
    if row is None:
        return {}
    [drift] = manifest_list.drift_of([manifest_access.definition_of(row)])
    facts: dict[str, Any] = {
        "drift": drift,
        "last_refresh": _last_refresh(manifest_list.latest_states([row.table_name]).get(row.table_name)),
        "history_url": _page_url(site, kind.model, row.pk, page="history"),
    }
    if kind is CANNED:
        rows = manifest_access.subscriptions(Editor.of(request.user).agencies)
        facts["subscriptions"] = rows.filter(canned_report=row.pk).order_by("agency_slug", "pk")
    return facts


def _subscription_facts(row: CannedReportManifest | None) -> Mapping[str, Any]:
    if row is None:
        return {}
    [listed] = manifest_list.describe([row])
    return {"listed": listed, "last_refresh": _last_refresh(listed.last_refresh)}


def _last_refresh(state: LatestState | None) -> str | None:
    return list_cells.latest_outcome(state) if state else None


def _trial_context(form: DefinitionForm, trial: QueryTrial | None) -> Mapping[str, Any]:
    if trial is None:
        return {}
    excerpt = trial.problem and problem_excerpt(form.definition.query, trial.problem)
    return {"trial": trial, "excerpt": excerpt}

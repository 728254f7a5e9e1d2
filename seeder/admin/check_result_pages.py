"""The results of a view's data checks, and the decisions on a held view."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from seeder.admin import page_urls, queue_actions
from seeder.admin.check_decision_form import DecisionForm
from seeder.admin.check_pages import OUTCOME_TEXTS
from seeder.admin.monitoring_page import handle_post
from seeder.data_check_errors import DataCheckError
from seeder.domain.manifests import ViewKey
from seeder.postgres.contract import OptionalTables
from seeder.services.data_checks import check_access, check_editing, waivers
from seeder.services.data_checks.waivers import HeldChecks, WaiverDecision
from seeder.services.query_validation import can_see_data
from seeder.services.read_models import agency_scope, check_results, pauses, view_checks
from seeder.services.read_models.check_results import CheckedRefresh, VisibleResult
from seeder.services.translation import translated
from seeder.texts import Text

_MAX_REFRESHES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleTable:
    """Bad rows as a table."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def view_checks_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show the results of one refresh, the latest unless a run is given, and the checks of the view."""
    if request.method == "POST":
        return handle_post(request)
    view, refreshes = _view_and_refreshes(request)
    shown = _shown(request, refreshes)
    checks = list(check_access.checks_of_view(view).order_by("check_name"))
    tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
    is_latest = shown is not None and shown is refreshes[0]
    results = [] if shown is None else shown.results
    can_decide = is_latest and any(one.holds for one in results) and _can_decide(request)
    can_refresh = queue_actions.can_refresh(request.user)
    agencies = agency_scope.agencies_of(request.user)
    context = {
        **_context(request, site, view),
        "title": translated(Text("Data checks of {view}", view=str(view.name))),
        "shown": shown,
        "is_latest": is_latest,
        "results": [_described(one) for one in results],
        "can_decide": can_decide,
        "can_accept": can_decide and any(one.can_accept for one in results),
        "can_refresh": can_refresh,
        "refresh_effect": pauses.effect_on_refresh(str(view.name), agencies) if can_refresh and shown else None,
        "can_edit": request.user.has_perm(check_access.EDIT_PERMISSION) and check_editing.why_read_only() is None,
        "waivers": view_checks.open_waivers(view, tables),
        "checks": check_results.list_checks(checks, can_see_data=can_see_data(request.user)),
        "refreshes": refreshes,
    }
    return TemplateResponse(request, "seeder/view_checks.html", context)


def check_decision_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show the figures that a decision is bound to, and store the decision after its confirmation."""
    if not _can_decide(request):
        raise PermissionDenied
    view, refreshes = _view_and_refreshes(request)
    is_acceptance = request.GET.get("decision") == WaiverDecision.ACCEPT
    decision = WaiverDecision.ACCEPT if is_acceptance else WaiverDecision.PUBLISH_ONCE
    shown = _shown(request, refreshes)
    held = [one for one in shown.results if one.holds] if shown else []
    choices = [one for one in held if one.can_accept or not is_acceptance]
    form = DecisionForm(request.POST if request.method == "POST" else None, decision=decision, results=choices)
    url = page_urls.view_checks(site, str(view.name), view.database)
    if form.is_bound and form.is_valid():
        try:
            check_access.require_all_agencies(view.name, agency_scope.agencies_of(request.user))
            _decide(request, form, view, decision)
        except DataCheckError as error:
            form.add_error(None, translated(error))
        else:
            messages.success(request, translated(_done_text(decision, view)))
            return HttpResponseRedirect(url)
    context = {
        **_context(request, site, view),
        "title": translated(_title(decision, view)),
        "form": form,
        "decision": decision,
        "run_id": shown.history.run_id if shown else None,
        "results": [_described(one) for one in choices],
        "others": len(held) - len(choices),
        "back_url": url,
    }
    return TemplateResponse(request, "seeder/check_decision.html", context)


def _title(decision: WaiverDecision, view: ViewKey) -> Text:
    if decision is WaiverDecision.ACCEPT:
        return Text("Accept the rows of {view} as the baseline?", view=str(view.name))
    return Text("Publish {view} anyway?", view=str(view.name))


def _done_text(decision: WaiverDecision, view: ViewKey) -> Text:
    if undecided := waivers.undecided_checks(str(view.name), view.database):
        return waivers.still_held_text(str(view.name), undecided)
    if decision is WaiverDecision.ACCEPT:
        return Text(
            "Later refreshes of {view} are compared with these rows. Refresh it now, or wait for the next run.",
            view=str(view.name),
        )
    return Text(
        "The next refresh of {view} is published, unless its rows are worse. Refresh it now, or wait for the next run.",
        view=str(view.name),
    )


def _decide(request: HttpRequest, form: DecisionForm, view: ViewKey, decision: WaiverDecision) -> None:
    values = form.cleaned_data
    held = HeldChecks(
        table_name=str(view.name), check_names=values["checks"], database=view.database, run_id=values["run"]
    )
    by = request.user.get_username()
    if decision is WaiverDecision.ACCEPT:
        waivers.accept_checks(held, reason=values["reason"], granted_by=by)
    else:
        waivers.waive_checks(held, reason=values["reason"], granted_by=by, hours=values["hours"])


def _can_decide(request: HttpRequest) -> bool:
    return bool(request.user.has_perm(waivers.PERMISSION))


def _view_and_refreshes(request: HttpRequest) -> tuple[ViewKey, Sequence[CheckedRefresh]]:
    """Return the requested view and its latest refreshes. Raises `BadName` or `UnknownTable`."""
    view = check_access.find_view(
        request.GET.get("table", ""),
        agency_scope.agencies_of(request.user),
        database=request.GET.get("database") or None,
    )
    rows = check_results.checked_history(view).order_by("-history_id")[:_MAX_REFRESHES]
    ids = [row.history_id for row in rows]
    return view, check_results.checked_refreshes(ids, can_see_data=can_see_data(request.user))


def _shown(request: HttpRequest, refreshes: Sequence[CheckedRefresh]) -> CheckedRefresh | None:
    """Return the refresh of the requested run, otherwise the latest."""
    run_id = request.GET.get("run")
    return next((one for one in refreshes if run_id in {None, "", one.history.run_id}), None)


def _context(request: HttpRequest, site: AdminSite, view: ViewKey) -> dict[str, Any]:
    return {**site.each_context(request), "view": view}


def _described(result: VisibleResult) -> tuple[VisibleResult, Text, SampleTable | None]:
    return result, OUTCOME_TEXTS[result.row.outcome], _sample_table(result.samples)


def _sample_table(samples: Sequence[str]) -> SampleTable | None:
    """Return bad rows as a table, or None if one of them was cut."""
    try:
        rows = [json.loads(sample) for sample in samples]
    except ValueError:
        return None
    if not rows or not all(isinstance(row, dict) for row in rows):
        return None
    columns = list(dict.fromkeys(name for row in rows for name in row))
    texts = [[_cell(row.get(name)) for name in columns] for row in rows]
    return SampleTable(columns=columns, rows=texts)


def _cell(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

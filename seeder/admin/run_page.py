"""The page of a run: what failed, its timeline and its views."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.admin import AdminSite
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from seeder.admin import queue_actions
from seeder.admin.comparison_section import comparison_section
from seeder.admin.path_section import path_section
from seeder.admin.run_table import run_table
from seeder.admin.timeline_chart import LanesOf, TimelineForm, timeline_chart
from seeder.domain.monitoring.timeline import BarState, Timeline, TimelineBar
from seeder.domain.outcomes import Status
from seeder.domain.refresh_requests import description_text
from seeder.postgres.contract import OptionalTables
from seeder.services.queue import part_rows
from seeder.services.read_models import (
    agency_scope,
    error_redaction,
    previous_run,
    run_failures,
    run_groups,
    run_path,
    run_timeline,
)
from seeder.services.translation import translated
from seeder.texts import Text

_MAX_FAILURES = 50


def run_page(request: HttpRequest, site: AdminSite, *, run_id: str) -> HttpResponse:
    agencies = agency_scope.agencies_of(request.user)
    timeline = run_timeline.timeline(run_id, agencies)
    unpublished = timeline.unpublished
    path = run_path.read_critical_path(timeline, sees_all_agencies=agencies is None)
    critical = {step.bar.table_name for step in path.steps} if path else ()
    tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
    context = {
        **site.each_context(request),
        "title": translated(Text("Run for {description}", description=description_text(timeline.run.description))),
        "run": timeline.run,
        "timeline": timeline,
        **_failures_context(request, unpublished),
        **_actions_context(request, timeline, tables, can_retry=bool(unpublished)),
        "chart": timeline_chart(timeline, TimelineForm(request.GET), site, critical=critical),
        **path_section(path),
        **comparison_section(previous_run.compare_with_previous(timeline, agencies)),
        "lanes_of": LanesOf.choices,
        "states": [state for state, count in timeline.counts.items() if count],
        "table": run_table(timeline, request.GET),
        "holds": [(hold, (hold.finished_at or timeline.end) - hold.started_at) for hold in timeline.holds],
        "groups": run_groups.groups_of_run(run_id, agencies),
        "live": timeline.run.status is Status.RUNNING,
    }
    return TemplateResponse(request, "seeder/run.html", context)


def _failures_context(request: HttpRequest, unpublished: Sequence[TimelineBar]) -> Mapping[str, Any]:
    # A stopped run can leave thousands of views, which have nothing to say.
    listed = [bar for bar in unpublished if bar.has_started or bar.state is not BarState.INTERRUPTED]
    can_see_errors = request.user.has_perm(error_redaction.PERMISSION)
    return {
        "failures": run_failures.describe_failures(listed[:_MAX_FAILURES], can_see_errors=can_see_errors),
        "hidden_failures": max(len(listed) - _MAX_FAILURES, 0),
        "not_started": len(unpublished) - len(listed),
    }


def _actions_context(
    request: HttpRequest, timeline: Timeline, tables: OptionalTables, *, can_retry: bool
) -> Mapping[str, Any]:
    """Return which buttons the user has. A run outside the queue has no part, and is cancelled by its own row."""
    if not queue_actions.can_refresh(request.user):
        return {}
    is_running = timeline.run.status is Status.RUNNING
    has_parts = is_running and tables.is_usable(part_rows.TABLE)
    part = part_rows.unfinished_part_of_run(timeline.run.run_id) if has_parts else None
    requester = (part or timeline.run).cancel_requested_by
    return {
        "can_retry": can_retry,
        "can_cancel": is_running and requester is None,
        "cancel_requested_by": requester if is_running else None,
    }

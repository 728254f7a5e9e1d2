"""One plain line an event, for logs and pipes."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Self

from django.core.management.base import OutputWrapper

from seeder.domain.admission_decisions import HoldReason
from seeder.domain.human_format import format_count, format_duration, format_size
from seeder.domain.manifests import RejectedManifest
from seeder.domain.outcomes import Failure, RefreshMode, RefreshResult, RunSummary
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.result_notes import definition_drift_note
from seeder.domain.run_events import (
    RunEnded,
    RunEvent,
    RunStarted,
    RunWarning,
    StartsHeld,
    StartsResumed,
    ViewEnded,
    ViewStarted,
)
from seeder.domain.view_names import one_line

_MIN_REPORTED_WAIT = timedelta(seconds=1)  # a wait that is worth a word


class RunEventLines:
    def __init__(self, out: OutputWrapper, request: RefreshRequest) -> None:
        self._out = out
        self._request = request
        self._reported_holds: dict[str, HoldReason] = {}  # by database: what was said; its figures change all the time

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show_plan(self, plan: RefreshPlan) -> None:
        lines = (*map(_planned_view_text, plan.views), *map(rejection_text, plan.rejected), *plan.warnings)
        for line in (*_nothing_to_refresh_lines(plan, self._request), *lines):
            self._out.write(one_line(line))

    def on_event(self, event: RunEvent) -> None:
        for line in self._event_lines(event):
            self._out.write(one_line(line))
            self._out.flush()  # a log that is followed shows the line now

    def _event_lines(self, event: RunEvent) -> Iterable[str]:
        match event:
            case RunStarted(plan=plan):
                yield (
                    f"run {event.run_id}: {format_count(len(plan.views), 'view')},"
                    f" {format_count(event.workers, 'worker')}"
                )
                yield from _nothing_to_refresh_lines(plan, self._request)
                yield from map(rejection_text, plan.rejected)
            case ViewStarted(view=view):
                yield f"{view.key.name}: started"
            case ViewEnded(view=view, result=result):
                yield f"{view.key.name}: {result_text(result)}"
                yield from (f"{view.key.name}: {note}" for note in result.notes)
            case StartsHeld(database=database, hold=hold) if hold.reason is not self._reported_holds.get(database):
                self._reported_holds[database] = hold.reason
                yield f"waiting: {hold.message}"
            case StartsResumed(database=database, duration=after):
                self._reported_holds.pop(database, None)
                yield f"going on in {database} after {format_duration(after)}"
            case RunWarning(message=message):
                yield message
            case RunEnded(summary=summary):
                yield from (f"{view.key.name}: interrupted" for view in summary.interrupted)
                yield f"run {summary.run_id}: {summary_text(summary)}"


def result_text(result: RefreshResult) -> str:
    """How a view ended, in one line."""
    if result.failure is not None:
        return f"{result.outcome} after {format_duration(result.duration)}: {failure_text(result.failure)}"
    facts = [
        outcome_text(result),
        format_count(result.rows, "row"),
        format_size(result.size_bytes),
        format_duration(result.duration),
    ]
    if result.attempts > 1:
        facts.append(f"at attempt {result.attempts}")
    waits = {"held back": result.cost.throttle_wait, "waiting for locks": result.cost.lock_wait}
    facts.extend(f"{format_duration(span)} {what}" for what, span in waits.items() if span >= _MIN_REPORTED_WAIT)
    return ", ".join(facts)


def outcome_text(result: RefreshResult) -> str:
    """The outcome in one word or two; a view that could not be refreshed concurrently, though asked to, kept its
    readers waiting, and that is said."""
    if result.satisfied_by:
        return f"{result.outcome} by run {result.satisfied_by}"
    if result.fell_back:
        return f"{result.outcome}, not concurrently"
    return f"{result.outcome} concurrently" if result.mode is RefreshMode.CONCURRENT else str(result.outcome)


def summary_text(summary: RunSummary) -> str:
    """How a run ended, in one line."""
    counts = f"{summary.succeeded} succeeded, {summary.failed} failed"
    if summary.stopped_by:
        counts = f"stopped by {summary.stopped_by}: {counts}, {len(summary.interrupted)} interrupted"
    return f"{counts} in {format_duration(summary.duration)}"


def rejection_text(rejected: RejectedManifest) -> str:
    """Why a manifest is not in the plan, in one line."""
    manifest = rejected.manifest
    return f"{manifest.agency_slug}, {manifest.report_type} manifest {manifest.manifest_id}: {rejected.message}"


def nothing_to_refresh_text(request: RefreshRequest) -> str:
    """An empty selection is valid, and said."""
    return f"Nothing to refresh: no manifest is enabled for {request}."


def failure_text(failure: Failure) -> str:
    """In one line, with the word by which the runbook has it."""
    return f"{failure.reason}: {first_line(failure.message)}"


def first_line(message: str) -> str:
    return message.partition("\n")[0]


def _nothing_to_refresh_lines(plan: RefreshPlan, request: RefreshRequest) -> Iterable[str]:
    return () if plan.views or plan.rejected else (nothing_to_refresh_text(request),)


def _planned_view_text(view: PlannedView) -> str:
    facts = [f"{view.action} {view.key.name}"]
    if view.depends_on:
        facts.append(f"after {', '.join(sorted(str(key.name) for key in view.depends_on))}")
    if view.expected_duration is not None:
        facts.append(f"expected {format_duration(view.expected_duration)}")
    facts.append(f"for {format_count(len(view.spec.manifests), 'manifest')}")
    facts.extend(definition_drift_note(drift) for drift in view.definition_drift)
    return "; ".join(facts)

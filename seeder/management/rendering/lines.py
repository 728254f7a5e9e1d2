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

_LONG = timedelta(seconds=1)  # a wait that is worth a word


class Lines:
    def __init__(self, out: OutputWrapper, request: RefreshRequest) -> None:
        self._out = out
        self._request = request
        self._held: dict[str, HoldReason] = {}  # by database: what was said; its figures change all the time

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def plan(self, plan: RefreshPlan) -> None:
        facts = (*map(_planned, plan.views), *map(refusal, plan.rejected), *plan.warnings)
        for line in (*_nothing(plan, self._request), *facts):
            self._out.write(one_line(line))

    def hear(self, event: RunEvent) -> None:
        for line in self._tell(event):
            self._out.write(one_line(line))
            self._out.flush()  # who follows a log wants the line now, not when the buffer is full

    def _tell(self, event: RunEvent) -> Iterable[str]:
        match event:
            case RunStarted(plan=plan):
                yield f"run {event.run_id}: {format_count(len(plan.views), 'view')}, {format_count(event.workers, 'seat')}"
                yield from _nothing(plan, self._request)
                yield from map(refusal, plan.rejected)
            case ViewStarted(view=view):
                yield f"{view.key.name}: started"
            case ViewEnded(view=view, result=result):
                yield f"{view.key.name}: {ending(result)}"
                yield from (f"{view.key.name}: {note}" for note in result.notes)
            case StartsHeld(database=database, hold=hold) if hold.reason is not self._held.get(database):
                self._held[database] = hold.reason
                yield f"waiting: {hold.message}"
            case StartsResumed(database=database, duration=after):
                self._held.pop(database, None)
                yield f"going on in {database} after {format_duration(after)}"
            case RunWarning(message=message):
                yield message
            case RunEnded(summary=summary):
                yield from (f"{view.key.name}: interrupted" for view in summary.interrupted)
                yield f"run {summary.run_id}: {total(summary)}"


def ending(result: RefreshResult) -> str:
    """How a view ended, in one line."""
    if result.failure is not None:
        return f"{result.outcome} after {format_duration(result.duration)}: {because(result.failure)}"
    facts = [
        how(result),
        format_count(result.rows, "row"),
        format_size(result.size_bytes),
        format_duration(result.duration),
    ]
    if result.attempts > 1:
        facts.append(f"at attempt {result.attempts}")
    waits = {"held back": result.cost.throttle_wait, "waiting for locks": result.cost.lock_wait}
    facts.extend(f"{format_duration(span)} {what}" for what, span in waits.items() if span >= _LONG)
    return ", ".join(facts)


def how(result: RefreshResult) -> str:
    """The outcome in one word or two; a view that could not be refreshed concurrently, though asked to, kept its
    readers waiting, and that is said."""
    if result.satisfied_by:
        return f"{result.outcome} by run {result.satisfied_by}"
    if result.fell_back:
        return f"{result.outcome}, not concurrently"
    return f"{result.outcome} concurrently" if result.mode is RefreshMode.CONCURRENT else str(result.outcome)


def total(summary: RunSummary) -> str:
    """How a run ended, in one line."""
    counts = f"{summary.succeeded} succeeded, {summary.failed} failed"
    if summary.stopped_by:
        counts = f"stopped by {summary.stopped_by}: {counts}, {len(summary.interrupted)} interrupted"
    return f"{counts} in {format_duration(summary.duration)}"


def refusal(complaint: RejectedManifest) -> str:
    """Why a manifest is not in the plan, in one line."""
    manifest = complaint.manifest
    return f"{manifest.agency_slug}, {manifest.report_type} manifest {manifest.manifest_id}: {complaint.message}"


def nothing(request: RefreshRequest) -> str:
    """An empty selection is valid, and said."""
    return f"Nothing to refresh: no manifest is enabled for {request}."


def because(failure: Failure) -> str:
    """In one line, with the word by which the runbook has it."""
    return f"{failure.reason}: {first_line(failure.message)}"


def first_line(message: str) -> str:
    return message.partition("\n")[0]


def _nothing(plan: RefreshPlan, request: RefreshRequest) -> Iterable[str]:
    return () if plan.views or plan.rejected else (nothing(request),)


def _planned(view: PlannedView) -> str:
    facts = [f"{view.action} {view.key.name}"]
    if view.depends_on:
        facts.append(f"after {', '.join(sorted(str(key.name) for key in view.depends_on))}")
    if view.expected_duration is not None:
        facts.append(f"expected {format_duration(view.expected_duration)}")
    facts.append(f"for {format_count(len(view.spec.manifests), 'manifest')}")
    facts.extend(definition_drift_note(drift) for drift in view.definition_drift)
    return "; ".join(facts)

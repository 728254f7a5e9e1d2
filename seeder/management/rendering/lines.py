"""One plain line an event, for logs and pipes."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Self

from django.core.management.base import OutputWrapper

from seeder.domain.admission import Reason
from seeder.domain.events import Held, Noticed, Resumed, RunEnded, RunEvent, RunStarted, ViewEnded, ViewStarted
from seeder.domain.manifests import Complaint
from seeder.domain.names import one_line
from seeder.domain.notes import drifted
from seeder.domain.outcomes import Failure, Mode, RefreshResult, RunSummary
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.requests import RefreshRequest
from seeder.domain.units import count, duration, size

_LONG = timedelta(seconds=1)  # a wait that is worth a word


class Lines:
    def __init__(self, out: OutputWrapper, request: RefreshRequest) -> None:
        self._out = out
        self._request = request
        self._held: dict[str, Reason] = {}  # by database: what was said; its figures change all the time

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def plan(self, plan: RefreshPlan) -> None:
        facts = (*map(_planned, plan.views), *map(refusal, plan.complaints), *plan.notices)
        for line in (*_nothing(plan, self._request), *facts):
            self._out.write(one_line(line))

    def hear(self, event: RunEvent) -> None:
        for line in self._tell(event):
            self._out.write(one_line(line))
            self._out.flush()  # who follows a log wants the line now, not when the buffer is full

    def _tell(self, event: RunEvent) -> Iterable[str]:
        match event:
            case RunStarted(plan=plan):
                yield f"run {event.run_id}: {count(len(plan.views), 'view')}, {count(event.seats, 'seat')}"
                yield from _nothing(plan, self._request)
                yield from map(refusal, plan.complaints)
            case ViewStarted(view=view):
                yield f"{view.key.name}: started"
            case ViewEnded(view=view, result=result):
                yield f"{view.key.name}: {ending(result)}"
                yield from (f"{view.key.name}: {note}" for note in result.notes)
            case Held(database=database, hold=hold) if hold.reason is not self._held.get(database):
                self._held[database] = hold.reason
                yield f"waiting: {hold.message}"
            case Resumed(database=database, after=after):
                self._held.pop(database, None)
                yield f"going on in {database} after {duration(after)}"
            case Noticed(message=message):
                yield message
            case RunEnded(summary=summary):
                yield from (f"{view.key.name}: interrupted" for view in summary.unfinished)
                yield f"run {summary.run_id}: {total(summary)}"


def ending(result: RefreshResult) -> str:
    """How a view ended, in one line."""
    if result.failure is not None:
        return f"{result.outcome} after {duration(result.took)}: {because(result.failure)}"
    facts = [how(result), count(result.rows, "row"), size(result.bytes), duration(result.took)]
    if result.attempts > 1:
        facts.append(f"at attempt {result.attempts}")
    waits = {"held back": result.cost.throttle_wait, "waiting for locks": result.cost.lock_wait}
    facts.extend(f"{duration(span)} {what}" for what, span in waits.items() if span >= _LONG)
    return ", ".join(facts)


def how(result: RefreshResult) -> str:
    """The outcome in one word or two; a view that could not be refreshed concurrently, though asked to, kept its
    readers waiting, and that is said."""
    if result.satisfied_by:
        return f"{result.outcome} by run {result.satisfied_by}"
    if result.fell_back:
        return f"{result.outcome}, not concurrently"
    return f"{result.outcome} concurrently" if result.mode is Mode.CONCURRENT else str(result.outcome)


def total(summary: RunSummary) -> str:
    """How a run ended, in one line."""
    counts = f"{summary.succeeded} succeeded, {summary.failed} failed"
    if summary.stopped:
        counts = f"stopped by {summary.stopped}: {counts}, {len(summary.unfinished)} interrupted"
    return f"{counts} in {duration(summary.took)}"


def refusal(complaint: Complaint) -> str:
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
    return () if plan.views or plan.complaints else (nothing(request),)


def _planned(view: PlannedView) -> str:
    facts = [f"{view.action} {view.key.name}"]
    if view.reads:
        facts.append(f"after {', '.join(sorted(str(key.name) for key in view.reads))}")
    if view.expected is not None:
        facts.append(f"expected {duration(view.expected)}")
    facts.append(f"for {count(len(view.spec.manifests), 'manifest')}")
    facts.extend(drifted(drift) for drift in view.drift)
    return "; ".join(facts)

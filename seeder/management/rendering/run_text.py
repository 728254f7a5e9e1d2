"""Plans, events and results of runs as text and tables."""

from collections.abc import Iterator
from datetime import timedelta

from seeder.domain import run_events
from seeder.domain.group_endings import summary_groups
from seeder.domain.human_format import format_count, format_duration, format_size
from seeder.domain.manifests import RejectedManifest
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Outcome, RefreshResult, RunSummary
from seeder.domain.plan import PlannedGroup, PlannedView, RefreshPlan
from seeder.domain.refresh_mode import ModeChoice
from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.result_notes import definition_drift_note
from seeder.domain.skip_decision import SkipAction
from seeder.management.rendering.command_output import Block, TableRow, TextTable

_MIN_REPORTED_WAIT = timedelta(seconds=1)
_OUTCOME_STYLES = {
    Outcome.CREATED: "green",
    Outcome.REFRESHED: "green",
    Outcome.SKIPPED: "green",
    Outcome.HELD: "bold yellow",
    Outcome.FAILED: "bold red",
}
_MODE_HEADINGS = ("mode", "plain>", "concurrent>", "changed>", "bloat>")


def plan_blocks(plan: RefreshPlan, request: RefreshRequest) -> Iterator[Block]:
    yield from _empty_plan_blocks(plan, request)
    shows_modes = any(view.mode_choice for view in plan.views)
    yield TextTable(
        headings=("view", "action", "after", "expected>", *(_MODE_HEADINGS if shows_modes else ())),
        rows=[_planned_view_row(view, shows_modes=shows_modes) for view in plan.views],
    )
    for group in plan.groups:
        yield from _group_blocks(group)
    for view in plan.views:
        if view.check_order is not None:
            yield f"{view.key.name}: {view.check_order}"
        yield from (f"{view.key.name}: {definition_drift_note(drift)}" for drift in view.definition_drift)
    yield from map(_rejection_block, plan.rejected)
    yield from ((str(missed), "yellow") for missed in plan.missed_contracts)
    yield from plan.warnings.values()
    yield from plan.notes


def _group_blocks(group: PlannedGroup) -> Iterator[Block]:
    views = ", ".join(str(view.key.name) for view in group.views)
    duration = format_duration(group.estimated_duration)
    yield f"consistent group {group.name}: {views} become visible together; one worker, about {duration}"
    if group.options.publish_without_held:
        yield f"consistent group {group.name}: a view that data checks hold keeps its data, as do members that read it"
    if group.refusals:
        yield f"consistent group {group.name}: would not be refreshed:", "red"
        yield from ((reason, "red") for reason in group.refusals)


def _empty_plan_blocks(plan: RefreshPlan, request: RefreshRequest) -> Iterator[Block]:
    if not plan.views and not plan.rejected:
        yield f"Nothing to refresh: no manifest is enabled for {request}."


def _planned_view_row(view: PlannedView, *, shows_modes: bool) -> TableRow:
    after = ", ".join(sorted(str(key.name) for key in view.depends_on))
    expected = "" if view.expected_duration is None else format_duration(view.expected_duration)
    facts = [f"{view.action} {view.key.name}"]
    facts += [f"after {after}"] if after else []
    facts += [f"expected {expected}"] if expected else []
    facts.append(f"for {format_count(len(view.spec.manifests), 'manifest')}")
    skip = view.skip_plan
    skip_reason = skip.reason if skip and (skip.reads or not skip.is_closed) else None
    mode_reason = view.mode_choice.reason if view.mode_choice else None
    line = _with_reasons("; ".join(facts), mode_reason, skip_reason)
    modes = _mode_cells(view.mode_choice) if shows_modes else ()
    return TableRow(line=line, cells=(str(view.key.name), view.action, after, expected, *modes))


def _with_reasons(text: str, *reasons: str | None) -> str:
    """Return a text and the sentences after it."""
    known = " ".join(filter(None, reasons))
    return f"{text}. {known}" if known else text


def _mode_cells(choice: ModeChoice | None) -> tuple[str, ...]:
    """Return the mode, and what is known about the next refresh."""
    if choice is None:
        return ("",) * len(_MODE_HEADINGS)
    known = choice.prediction
    durations = ("" if one is None else format_duration(one) for one in (known.plain, known.concurrent))
    return (
        choice.mode,
        *durations,
        "" if known.churn is None else f"{known.churn:.0%}",
        "" if known.bloat is None else f"{known.bloat:.1f}",
    )


def _rejection_block(rejected: RejectedManifest) -> Block:
    manifest = rejected.manifest
    return f"{manifest.agency_slug}, {manifest.report_type} manifest {manifest.manifest_id}: {rejected.message}", "red"


def event_blocks(event: run_events.RunEvent, request: RefreshRequest) -> Iterator[Block]:
    """Yield a line for each event."""
    match event:
        case run_events.RunStarted(plan=plan):
            views, workers = format_count(len(plan.views), "view"), format_count(event.workers, "worker")
            yield f"run {event.run_id}: {views}, {workers}"
            yield from _empty_plan_blocks(plan, request)
            yield from map(_rejection_block, plan.rejected)
        case run_events.ViewStarted(view=view):
            yield f"{view.key.name}: started"
        case run_events.ViewEnded(view=view, result=result):
            reasons = result.mode_reason, _skip_text(view, result)
            yield _with_reasons(f"{view.key.name}: {_result_text(result)}", *reasons)
            if result.failure is not None and result.outcome is Outcome.HELD:
                yield from (f"{view.key.name}: {line}" for line in result.failure.message.splitlines()[1:])
            yield from (f"{view.key.name}: {note}" for note in result.notes)
        case run_events.StartsHeld(hold=hold):
            yield f"waiting: {hold.message}"
        case run_events.StartsResumed(database=database, duration=duration):
            yield f"resumed in {database} after {format_duration(duration)}"
        case run_events.RunWarning(message=message):
            yield message
        case run_events.ViewsVacuumed(views=vacuumed, skipped=skipped, duration=duration):
            yield f"vacuumed {format_count(len(vacuumed), 'view')} in {format_duration(duration)}"
            yield from (f"{view.key.name}: not vacuumed: {cause}" for view, cause in skipped.items())
        case run_events.RunEnded(summary=summary):
            yield from (f"{view.key.name}: interrupted" for view in summary.interrupted)
            yield from _ended_groups(summary)
            yield _summary_text(summary)


def _result_text(result: RefreshResult) -> str:
    if result.failure is not None:
        message = _failure_text(result, first_line(result.failure.message))
        return f"{result.outcome} after {format_duration(result.duration)}: {message}"
    facts = [
        _outcome_text(result),
        *([] if result.rows is None else [format_count(result.rows, "row")]),
        format_size(result.size_bytes),
        format_duration(result.duration),
    ]
    if result.rows_unchanged is not None:
        facts += [f"{result.cost.rows_inserted or 0:,} inserted", f"{result.cost.rows_deleted or 0:,} deleted"]
        facts.append(f"{result.rows_unchanged:,} unchanged")
    if result.attempts > 1:
        facts.append(f"at attempt {result.attempts}")
    waits = {"on hold": result.cost.throttle_wait, "waiting for locks": result.cost.lock_wait}
    facts += [f"{format_duration(wait)} {name}" for name, wait in waits.items() if wait >= _MIN_REPORTED_WAIT]
    return ", ".join(facts)


def _skip_text(view: PlannedView, result: RefreshResult) -> str | None:
    """Return why a view was skipped, or why its proof did not hold."""
    had_proof = view.skip_plan is not None and view.skip_plan.action is SkipAction.VERIFY
    return result.skip_reason if had_proof else None


def _failure_text(result: RefreshResult, message: str) -> str:
    """Return the reason and a message. A held view has its outcome as the reason."""
    reason = result.failure.reason if result.failure else ""
    return message if reason == result.outcome else f"{reason}: {message}"


def _outcome_text(result: RefreshResult) -> str:
    """Return the outcome. It names a fallback, because that blocked readers."""
    if result.satisfied_by:
        return f"{result.outcome} by run {result.satisfied_by}"
    if result.fell_back:
        return f"{result.outcome}, not concurrently"
    return f"{result.outcome} concurrently" if result.mode is RefreshMode.CONCURRENT else str(result.outcome)


def _summary_text(summary: RunSummary) -> str:
    held = f" ({summary.held} of them held)" if summary.held else ""
    skipped = f" ({summary.skipped} of them skipped)" if summary.skipped else ""
    counts = f"{summary.succeeded} succeeded{skipped}, {summary.failed} failed{held}"
    if summary.stopped_by:
        counts = f"stopped by {summary.stopped_by}: {counts}, {len(summary.interrupted)} interrupted"
    return f"run {summary.run_id}: {counts} in {format_duration(summary.duration)}"


def first_line(message: str) -> str:
    return message.partition("\n")[0]


def table_blocks(event: run_events.RunEvent, request: RefreshRequest) -> Iterator[Block]:
    """Yield warnings, and at the end a table of all views."""
    match event:
        case run_events.RunStarted(plan=plan):
            yield from _empty_plan_blocks(plan, request)
        case run_events.RunWarning(message=message):
            yield message
        case run_events.RunEnded(summary=summary) if summary.results or summary.interrupted or summary.rejected:
            yield from _summary_blocks(summary)


def _summary_blocks(summary: RunSummary) -> Iterator[Block]:
    results = sorted(summary.results.items(), key=lambda item: item[0].key)
    yield TextTable(
        headings=("view", "report+", "outcome", "rows>", "size>", "time>"),
        rows=[_result_row(view, result) for view, result in results]
        + [_table_row(view, ("interrupted", "bold red"), "", "", "") for view in summary.interrupted],
    )
    for view, result in results:
        if result.failure is not None:
            yield f"{view.key.name}: {_failure_text(result, result.failure.message)}", "red"
        yield from ((f"{view.key.name}: {note}", "yellow") for note in result.notes)
    yield from _ended_groups(summary)
    yield from map(_rejection_block, summary.rejected)
    yield _summary_text(summary), "bold red" if summary.failed or summary.stopped_by else "bold green"


def _ended_groups(summary: RunSummary) -> Iterator[Block]:
    for group in summary_groups(summary):
        yield f"consistent group {group.name}: {group}", "" if group.is_complete else "yellow"


def _result_row(view: PlannedView, result: RefreshResult) -> TableRow:
    rows = "" if result.failure or result.rows is None else f"{result.rows:,}"
    size = "" if result.failure else format_size(result.size_bytes)
    outcome = _outcome_text(result), _OUTCOME_STYLES[result.outcome]
    return _table_row(view, outcome, rows, size, format_duration(result.duration))


def _table_row(view: PlannedView, outcome: tuple[str, str], *figures: str) -> TableRow:
    first, *others = view.spec.manifests
    report = first.report_name + (f" (and {format_count(len(others), 'other')})" if others else "")
    return TableRow(line="", cells=(str(view.key.name), report, outcome, *figures))

"""Plans and results of refreshes as text and tables."""

from collections.abc import Iterator
from datetime import timedelta

from seeder.domain.human_format import format_count, format_duration, format_size
from seeder.domain.manifests import RejectedManifest
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.plan import PlannedGroup, PlannedView, RefreshPlan
from seeder.domain.refresh_mode import ModeChoice
from seeder.domain.refresh_requests import RefreshRequest, SelectedManifests
from seeder.domain.result_notes import definition_drift_note
from seeder.domain.skip_decision import SkipAction
from seeder.management.rendering.command_output import Block, TableRow, TextTable

_MIN_REPORTED_WAIT = timedelta(seconds=1)
OUTCOME_STYLES = {
    Outcome.CREATED: "green",
    Outcome.REFRESHED: "green",
    Outcome.SKIPPED: "green",
    Outcome.HELD: "bold yellow",
    Outcome.FAILED: "bold red",
}
_MODE_HEADINGS = ("mode", "plain>", "concurrent>", "changed>", "bloat>")


def plan_blocks(plan: RefreshPlan, request: RefreshRequest) -> Iterator[Block]:
    yield from empty_plan_blocks(plan, request)
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
    yield from map(rejection_block, plan.rejected)
    yield from ((str(missed), "yellow") for missed in plan.missed_contracts)
    yield from plan.warnings.values()
    yield from plan.notes


def _group_blocks(group: PlannedGroup) -> Iterator[Block]:
    views = ", ".join(str(view.key.name) for view in group.views)
    duration = format_duration(group.estimated_duration)
    yield f"consistent group {group.name}: {views} become visible together; one worker, about {duration}"
    limit = group.options.max_duration
    if limit is not None and group.estimated_duration > limit:
        yield f"consistent group {group.name}: will probably exceed its limit of {format_duration(limit)}", "yellow"
    if group.options.publish_without_held:
        yield f"consistent group {group.name}: a view that data checks hold keeps its data, as do members that read it"
    if group.refusals:
        yield f"consistent group {group.name}: would not be refreshed:", "red"
        yield from ((reason, "red") for reason in group.refusals)


def empty_plan_blocks(plan: RefreshPlan, request: RefreshRequest) -> Iterator[Block]:
    if not plan.views and not plan.rejected:
        is_narrowed = isinstance(request, SelectedManifests)
        yield f"Nothing to refresh: {'no view matches' if is_narrowed else 'no manifest is enabled for'} {request}."


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
    line = with_reasons("; ".join(facts), mode_reason, skip_reason)
    modes = _mode_cells(view.mode_choice) if shows_modes else ()
    return TableRow(line=line, cells=(str(view.key.name), view.action, after, expected, *modes))


def with_reasons(text: str, *reasons: str | None) -> str:
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


def rejection_block(rejected: RejectedManifest) -> Block:
    manifest = rejected.manifest
    return f"{manifest.agency_slug}, {manifest.report_type} manifest {manifest.manifest_id}: {rejected.message}", "red"


def result_text(result: RefreshResult) -> str:
    """Return how a view ended, with its figures or the first line of the cause."""
    if result.failure is not None:
        message = failure_text(result, first_line(result.failure.message))
        return f"{result.outcome} after {format_duration(result.duration)}: {message}"
    facts = [
        outcome_text(result),
        *([] if result.rows is None else [format_count(result.rows, "row")]),
        format_size(result.size_bytes),
        format_duration(result.duration),
        *_change_facts(result),
        *_unusual_facts(result),
    ]
    return ", ".join(facts)


def _change_facts(result: RefreshResult) -> list[str]:
    if result.rows_unchanged is None:
        return []
    changes = {"inserted": result.cost.rows_inserted, "deleted": result.cost.rows_deleted}
    return [
        *(f"{number or 0:,} {change}" for change, number in changes.items()),
        f"{result.rows_unchanged:,} unchanged",
    ]


def short_facts(result: RefreshResult) -> list[str]:
    """Return how a refresh was done, and what was unusual about it."""
    return [*filter(None, [_mode_text(result)]), *_unusual_facts(result)]


def _unusual_facts(result: RefreshResult) -> list[str]:
    """Return retries and long waits."""
    waits = {"on hold": result.cost.throttle_wait, "waiting for locks": result.cost.lock_wait}
    return [
        *([f"at attempt {result.attempts}"] if result.attempts > 1 else []),
        *(f"{format_duration(wait)} {name}" for name, wait in waits.items() if wait >= _MIN_REPORTED_WAIT),
    ]


def skip_text(view: PlannedView, result: RefreshResult) -> str | None:
    """Return why a view was skipped, or why its proof did not hold."""
    had_proof = view.skip_plan is not None and view.skip_plan.action is SkipAction.VERIFY
    return result.skip_reason if had_proof else None


def failure_text(result: RefreshResult, message: str) -> str:
    """Return the reason and a message. A held view has its outcome as the reason."""
    reason = result.failure.reason if result.failure else ""
    return message if reason == result.outcome else f"{reason}: {message}"


def outcome_text(result: RefreshResult) -> str:
    """Return the outcome, and how it came about."""
    mode = _mode_text(result)
    return f"{result.outcome}{',' if result.fell_back else ''} {mode}" if mode else str(result.outcome)


def _mode_text(result: RefreshResult) -> str:
    """Return how a view was refreshed, if not plainly. Names a fallback, because that blocked readers."""
    if result.satisfied_by:
        return f"by run {result.satisfied_by}"
    if result.fell_back:
        return "not concurrently"
    return "concurrently" if result.mode is RefreshMode.CONCURRENT else ""


def first_line(message: str) -> str:
    return message.partition("\n")[0]

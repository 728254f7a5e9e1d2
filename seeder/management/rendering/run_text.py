"""Plans and results of refreshes as text and tables."""

from collections.abc import Iterator
from datetime import timedelta

from seeder.domain.human_format import format_count, format_duration, format_size
from seeder.domain.manifests import RejectedManifest
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.monitoring.state_words import state_word
from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.plan import PlannedGroup, PlannedView, RefreshPlan
from seeder.domain.refresh_mode import ModeChoice
from seeder.domain.refresh_requests import RefreshRequest, SelectedManifests
from seeder.domain.result_notes import definition_drift_note
from seeder.domain.skip_decision import SkipAction
from seeder.management.rendering.command_output import Block, TableRow, TextTable, figures
from seeder.management.rendering.plain_figures import decimal_figure
from seeder.texts import Text

_MIN_REPORTED_WAIT = timedelta(seconds=1)
OUTCOME_STYLES = {
    Outcome.CREATED: "green",
    Outcome.REFRESHED: "green",
    Outcome.SKIPPED: "green",
    Outcome.HELD: "bold yellow",
    Outcome.FAILED: "bold red",
}
_MODE_HEADINGS = (
    Text("mode"),
    figures(Text("plain")),
    figures(Text("concurrent")),
    figures(Text("changed")),
    figures(Text("bloat")),
)


def plan_blocks(plan: RefreshPlan, request: RefreshRequest) -> Iterator[Block]:
    yield from empty_plan_blocks(plan, request)
    shows_modes = any(view.mode_choice for view in plan.views)
    yield TextTable(
        headings=(
            *(Text("view"), Text("action"), Text("after"), figures(Text("expected"))),
            *(_MODE_HEADINGS if shows_modes else ()),
        ),
        rows=[_planned_view_row(view, shows_modes=shows_modes) for view in plan.views],
    )
    for group in plan.groups:
        yield from _group_blocks(group)
    for view in plan.views:
        if view.check_order is not None:
            yield of_view(view, str(view.check_order))
        yield from (of_view(view, definition_drift_note(drift)) for drift in view.definition_drift)
    yield from map(rejection_block, plan.rejected)
    yield from ((str(missed), "yellow") for missed in plan.missed_contracts)
    yield from plan.warnings.values()
    yield from plan.notes


def _group_blocks(group: PlannedGroup) -> Iterator[Block]:
    views = ", ".join(str(view.key.name) for view in group.views)
    duration = format_duration(group.estimated_duration)
    name = group.name
    yield Text(
        "consistent group {name}: {views} become visible together; one worker, about {duration}",
        name=name,
        views=views,
        duration=duration,
    )
    limit = group.options.max_duration
    if limit is not None and group.estimated_duration > limit:
        yield (
            Text(
                "consistent group {name}: will probably exceed its limit of {limit}",
                name=name,
                limit=format_duration(limit),
            ),
            "yellow",
        )
    if group.options.publish_without_held:
        yield Text(
            "consistent group {name}: a view that data checks hold keeps its data, as do members that read it",
            name=name,
        )
    if group.refusals:
        yield Text("consistent group {name}: would not be refreshed:", name=name), "red"
        yield from ((reason, "red") for reason in group.refusals)


def empty_plan_blocks(plan: RefreshPlan, request: RefreshRequest) -> Iterator[Block]:
    if not plan.views and not plan.rejected:
        if isinstance(request, SelectedManifests):
            yield Text("Nothing to refresh: no view matches {request}.", request=str(request))
        else:
            yield Text("Nothing to refresh: no manifest is enabled for {request}.", request=str(request))


def _planned_view_row(view: PlannedView, *, shows_modes: bool) -> TableRow:
    after = ", ".join(sorted(str(key.name) for key in view.depends_on))
    expected = "" if view.expected_duration is None else format_duration(view.expected_duration)
    action = state_word(view.action)
    facts = [Text("{action} {view}", action=action, view=view.key.name)]
    facts += [Text("after {views}", views=after)] if after else []
    facts += [Text("expected {duration}", duration=expected)] if expected else []
    facts.append(Text("for {manifests}", manifests=format_count(len(view.spec.manifests), "manifest")))
    skip = view.skip_plan
    skip_reason = skip.reason if skip and (skip.reads or not skip.is_closed) else None
    mode_reason = view.mode_choice.reason if view.mode_choice else None
    line = with_reasons(Text.joined(facts, "; "), mode_reason, skip_reason)
    modes = _mode_cells(view.mode_choice) if shows_modes else ()
    return TableRow(line=line, cells=(str(view.key.name), action, after, expected, *modes))


def of_view(view: PlannedView, sentence: str) -> Text:
    """Return a sentence after the name of its view."""
    return Text.joined([str(view.key.name), sentence], ": ")


def with_reasons(text: str, *reasons: str | None) -> str:
    """Return a text and the sentences after it."""
    known = [*filter(None, reasons)]
    return Text.joined([text, Text.joined(known, " ")], ". ") if known else text


def _mode_cells(choice: ModeChoice | None) -> tuple[str, ...]:
    """Return the mode, and what is known about the next refresh."""
    if choice is None:
        return ("",) * len(_MODE_HEADINGS)
    known = choice.prediction
    durations = ("" if one is None else format_duration(one) for one in (known.plain, known.concurrent))
    return (
        state_word(choice.mode),
        *durations,
        "" if known.churn is None else Text("{share:.0%}", share=known.churn),
        "" if known.bloat is None else decimal_figure(known.bloat),
    )


def rejection_block(rejected: RejectedManifest) -> Block:
    manifest = rejected.manifest
    text = Text(
        "{agency}, {report_type} manifest {manifest_id}: {message}",
        agency=manifest.agency_slug,
        report_type=manifest.report_type,
        manifest_id=manifest.manifest_id,
        message=rejected.message,
    )
    return text, "red"


def result_text(result: RefreshResult) -> Text:
    """Return how a view ended, with its figures or the first line of the cause."""
    if result.failure is not None:
        message = failure_text(result, first_line(result.failure.message))
        return Text(
            "{outcome} after {duration}: {message}",
            outcome=state_word(result.outcome),
            duration=format_duration(result.duration),
            message=message,
        )
    facts = [
        outcome_text(result),
        *([] if result.rows is None else [format_count(result.rows, "row")]),
        format_size(result.size_bytes),
        format_duration(result.duration),
        *_change_facts(result),
        *_unusual_facts(result),
    ]
    return Text.joined(facts)


def _change_facts(result: RefreshResult) -> list[Text]:
    if result.rows_unchanged is None:
        return []
    return [
        Text("{number:,} inserted", number=result.cost.rows_inserted or 0),
        Text("{number:,} deleted", number=result.cost.rows_deleted or 0),
        Text("{number:,} unchanged", number=result.rows_unchanged),
    ]


def short_facts(result: RefreshResult) -> list[str]:
    """Return how a refresh was done, if not plainly, and what was unusual about it."""
    if result.satisfied_by:
        mode = [Text("by run {run_id}", run_id=result.satisfied_by)]
    elif result.fell_back:  # named, because it blocked readers
        mode = [Text("not concurrently")]
    else:
        mode = [Text("concurrently")] if result.mode is RefreshMode.CONCURRENT else []
    return [*mode, *_unusual_facts(result)]


def _unusual_facts(result: RefreshResult) -> list[Text]:
    """Return retries and long waits."""
    facts, hold, lock_wait = list[Text](), result.cost.throttle_wait, result.cost.lock_wait
    if result.attempts > 1:
        facts.append(Text("at attempt {attempts}", attempts=result.attempts))
    if hold >= _MIN_REPORTED_WAIT:
        facts.append(Text("{duration} on hold", duration=format_duration(hold)))
    if lock_wait >= _MIN_REPORTED_WAIT:
        facts.append(Text("{duration} waiting for locks", duration=format_duration(lock_wait)))
    return facts


def skip_text(view: PlannedView, result: RefreshResult) -> str | None:
    """Return why a view was skipped, or why its proof did not hold."""
    had_proof = view.skip_plan is not None and view.skip_plan.action is SkipAction.VERIFY
    return result.skip_reason if had_proof else None


def failure_text(result: RefreshResult, message: str) -> str:
    """Return the reason and a message. A held view has its outcome as the reason."""
    reason = result.failure.reason if result.failure else ""
    return message if reason == result.outcome else Text.joined([reason, message], ": ")


def outcome_text(result: RefreshResult) -> Text:
    """Return the outcome, and how it came about."""
    outcome = state_word(result.outcome)
    if result.satisfied_by:
        return Text("{outcome} by run {run_id}", outcome=outcome, run_id=result.satisfied_by)
    if result.fell_back:
        return Text("{outcome}, not concurrently", outcome=outcome)
    if result.mode is RefreshMode.CONCURRENT:
        return Text("{outcome} concurrently", outcome=outcome)
    return outcome


def and_others(name: str, count: int, noun: str) -> str:
    """Return a name, and how many others there are."""
    return Text("{name} (and {others})", name=name, others=format_count(count, f"other {noun}")) if count else name


def first_line(message: str) -> str:
    return message.partition("\n")[0]

"""The explanation of a view as text and tables."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from seeder.domain.explanation.facts import Decision, Level, RelatedView, ViewStory
from seeder.domain.explanation.outlook import Outlook, PlannedStep
from seeder.domain.human_format import format_count, format_duration, time_ago_text
from seeder.management.rendering.command_output import Block, TableRow, TextTable
from seeder.services.read_models.view_explanation import ViewExplanation

_STYLES = {Level.OK: "green", Level.NOTICE: "", Level.WARNING: "yellow", Level.ERROR: "bold red"}


def explanation_blocks(explanation: ViewExplanation) -> Iterator[Block]:
    """Yield the sentences, the views that the view reads, and those that read it."""
    story = explanation.story
    agencies = sorted({one.agency_slug for one in story.manifests})
    of_agencies = f" of {', '.join(agencies)}" if agencies else ""
    reports = format_count(len(story.manifests), "report")
    yield f"{story.view.name} in {story.view.database}: {reports}{of_agencies}", "bold"
    yield from map(_sentence, explanation.decisions)
    yield from _relation_blocks(story)
    if explanation.expectations:
        yield "If it were refreshed now", "bold"
        yield from map(_sentence, explanation.expectations)
        yield from _plan_blocks(explanation.outlook)


def _plan_blocks(outlook: Outlook) -> Iterator[Block]:
    if len(outlook.steps) > 1:
        yield TextTable(headings=("plan", "action", "after", "expected>"), rows=[*map(_step_row, outlook.steps)])


def _step_row(step: PlannedStep) -> TableRow:
    name, after = str(step.view.name), ", ".join(step.after)
    expected = "" if step.expected_duration is None else format_duration(step.expected_duration)
    facts = [f"plan: {step.action} {name}"]
    facts += [f"after {after}"] if after else []
    facts += [f"expected {expected}"] if expected else []
    return TableRow(line="; ".join(facts), cells=(name, step.action, after, expected))


def _sentence(decision: Decision) -> Block:
    return f"- {decision.text}", _STYLES[decision.level]


def _relation_blocks(story: ViewStory) -> Iterator[Block]:
    relations = story.relations
    yield from _related("reads", relations.views, story.now)
    if relations.tables:
        yield f"Reads {format_count(len(relations.tables), 'table')}: {', '.join(relations.tables)}"
    if relations.hidden_views:
        yield f"Reads {format_count(relations.hidden_views, 'view')} of other agencies"
    yield from _related("read by", relations.dependents, story.now)
    further = relations.further_dependents
    if relations.hidden_dependents:
        yield f"Read by {format_count(relations.hidden_dependents, 'view')} of other agencies"
    if further:
        yield f"Read through others by {format_count(further, 'more view')}"


def _related(heading: str, views: Iterable[RelatedView], now: datetime) -> Iterator[Block]:
    yield TextTable(
        headings=(heading, "state", "last success", "data as of"), rows=[_row(heading, one, now) for one in views]
    )


def _row(heading: str, related: RelatedView, now: datetime) -> TableRow:
    state, style = _state(related)
    success = time_ago_text(related.facts.last_success_at, now)
    age = related.age
    as_of = str(age) if age.as_of is None else time_ago_text(age.as_of, now)
    name = str(related.view.name)
    return TableRow(
        line=f"{heading} {name}: {state}; last success {success}; data as of {as_of}",
        cells=(name, (state, style), success, as_of),
    )


def _state(related: RelatedView) -> tuple[str, str]:
    facts = related.facts
    if not related.is_listed:
        return "in no manifest", "yellow"
    if facts.is_held:
        return "held", "bold yellow"
    if facts.failing:
        return "failed", "bold red"
    return (str(facts.status), "green") if facts.status is not None else ("never ran", "")

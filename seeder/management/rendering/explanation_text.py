"""The explanation of a view as text and tables."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from seeder.domain.explanation.facts import Decision, Level, RelatedView, ViewStory
from seeder.domain.explanation.outlook import Outlook, PlannedStep
from seeder.domain.human_format import format_count, format_duration, time_ago_text
from seeder.domain.monitoring.state_words import state_word
from seeder.management.rendering.command_output import Block, TableRow, TextTable, figures
from seeder.services.read_models.view_explanation import ViewExplanation
from seeder.texts import Text

_STYLES = {Level.OK: "green", Level.NOTICE: "", Level.WARNING: "yellow", Level.ERROR: "bold red"}


def explanation_blocks(explanation: ViewExplanation) -> Iterator[Block]:
    """Yield the sentences, the views that the view reads, and those that read it."""
    story = explanation.story
    agencies = sorted({one.agency_slug for one in story.manifests})
    reports = format_count(len(story.manifests), "report")
    if agencies:
        reports = Text("{reports} of {agencies}", reports=reports, agencies=", ".join(agencies))
    title = Text("{view} in {database}: {reports}", view=story.view.name, database=story.view.database, reports=reports)
    yield title, "bold"
    yield from map(_sentence, explanation.decisions)
    yield from _relation_blocks(story)
    if explanation.expectations:
        yield Text("If it were refreshed now"), "bold"
        yield from map(_sentence, explanation.expectations)
        yield from _plan_blocks(explanation.outlook)


def _plan_blocks(outlook: Outlook) -> Iterator[Block]:
    if len(outlook.steps) > 1:
        headings = (Text("plan"), Text("action"), Text("after"), figures(Text("expected")))
        yield TextTable(headings=headings, rows=[*map(_step_row, outlook.steps)])


def _step_row(step: PlannedStep) -> TableRow:
    name, after = str(step.view.name), ", ".join(step.after)
    expected = "" if step.expected_duration is None else format_duration(step.expected_duration)
    action = state_word(step.action)
    facts = [Text("plan: {action} {view}", action=action, view=name)]
    facts += [Text("after {views}", views=after)] if after else []
    facts += [Text("expected {duration}", duration=expected)] if expected else []
    return TableRow(line=Text.joined(facts, "; "), cells=(name, action, after, expected))


def _sentence(decision: Decision) -> Block:
    return Text.joined(["- ", decision.text], ""), _STYLES[decision.level]


def _relation_blocks(story: ViewStory) -> Iterator[Block]:
    relations = story.relations
    yield from _related(Text("reads"), relations.views, story.now)
    if relations.tables:
        tables = format_count(len(relations.tables), "table")
        yield Text("Reads {tables}: {names}", tables=tables, names=", ".join(relations.tables))
    if relations.hidden_views:
        yield Text("Reads {views} of other agencies", views=format_count(relations.hidden_views, "view"))
    yield from _related(Text("read by"), relations.dependents, story.now)
    further = relations.further_dependents
    if relations.hidden_dependents:
        yield Text("Read by {views} of other agencies", views=format_count(relations.hidden_dependents, "view"))
    if further:
        yield Text("Read through others by {views}", views=format_count(further, "more view"))


def _related(heading: Text, views: Iterable[RelatedView], now: datetime) -> Iterator[Block]:
    headings = (heading, Text("state"), Text("last success"), Text("data as of"))
    yield TextTable(headings=headings, rows=[_row(heading, one, now) for one in views])


def _row(heading: Text, related: RelatedView, now: datetime) -> TableRow:
    state, style = _state(related)
    success = time_ago_text(related.facts.last_success_at, now)
    age = related.age
    as_of = str(age) if age.as_of is None else time_ago_text(age.as_of, now)
    name = str(related.view.name)
    return TableRow(
        line=Text(
            "{relation} {view}: {state}; last success {success}; data as of {age}",
            relation=heading,
            view=name,
            state=state,
            success=success,
            age=as_of,
        ),
        cells=(name, (state, style), success, as_of),
    )


def _state(related: RelatedView) -> tuple[str, str]:
    facts = related.facts
    if not related.is_listed:
        return Text("in no manifest"), "yellow"
    if facts.is_held:
        return Text("held"), "bold yellow"
    if facts.failing:
        return Text("failed"), "bold red"
    if facts.is_interrupted:
        return Text("interrupted"), "bold yellow"
    return (state_word(facts.status), "green") if facts.status is not None else (Text("never ran"), "")

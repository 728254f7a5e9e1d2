"""Which data checks, waivers and contracts apply to a view, and how it depends on other views."""

from collections.abc import Iterator

from seeder.domain.data_checks.results import CheckOutcome, CheckSeverity
from seeder.domain.explanation.facts import Decision, Level, RelatedView, Topic, ViewStory
from seeder.domain.explanation.refresh_decisions import time_text
from seeder.domain.freshness.states import LATE_CAUSE_TEXTS, FreshnessState
from seeder.domain.human_format import format_count, format_duration, time_ago_text
from seeder.domain.outcomes import Status

_CONTRACT_LEVELS = {
    FreshnessState.FRESH: Level.OK,
    FreshnessState.DUE: Level.WARNING,
    FreshnessState.HELD: Level.WARNING,
    FreshnessState.LATE: Level.ERROR,
    FreshnessState.UNKNOWN: Level.WARNING,
}


def state_decisions(story: ViewStory) -> Iterator[Decision]:
    """Yield the decisions of data checks and waivers, the age of the data, contracts and dependencies."""
    yield from _check_decisions(story)
    yield from _waiver_decisions(story)
    yield from _age_decisions(story)
    yield from _contract_decisions(story)
    yield from _dependency_decisions(story)


def _check_decisions(story: ViewStory) -> Iterator[Decision]:
    yield from _unmet_decisions(story)
    if not story.waivers and any(decision.level is Level.ERROR for decision in _unmet_decisions(story)):
        text = (
            "Correct the data and refresh again. To publish such data once:"
            f" manage.py waive_check {story.view.name} --reason REASON"
        )
        yield Decision(topic=Topic.DATA_CHECK, text=text)
    passed = sum(check.outcome == CheckOutcome.PASSED for check in story.checks)
    if passed:
        text = f"{format_count(passed, 'data check')} passed."
        yield Decision(topic=Topic.DATA_CHECK, text=text, level=Level.OK)


def _unmet_decisions(story: ViewStory) -> Iterator[Decision]:
    for check in story.checks:
        if check.outcome in {CheckOutcome.FAILED, CheckOutcome.COULD_NOT_RUN}:
            holds = check.severity == CheckSeverity.ERROR
            text = f"{'Held by' if holds else 'Warning of'} data check {check.name}: {check.text}."
            yield Decision(topic=Topic.DATA_CHECK, text=text, level=Level.ERROR if holds else Level.WARNING)
        elif check.outcome == CheckOutcome.WAIVED:
            text = f"Published although data check {check.name} failed, by a waiver: {check.text}."
            yield Decision(topic=Topic.DATA_CHECK, text=text, level=Level.WARNING)


def _waiver_decisions(story: ViewStory) -> Iterator[Decision]:
    for waiver in story.waivers:
        figures = ", ".join(
            f"{name} {figure}" for name, figure in waiver.figures.items() if isinstance(figure, int | float | str)
        )
        bound = figures or waiver.sqlstate or "that it could not run"
        expiry = "" if waiver.expires_at is None else f", until {time_text(waiver.expires_at)}"
        text = (
            f"A waiver of {waiver.granted_by} ({waiver.reason}) lets the next refresh be published{expiry}, unless"
            f" data check {waiver.check_name} is worse than: {bound}."
        )
        yield Decision(topic=Topic.WAIVER, text=text, level=Level.WARNING)


def _age_decisions(story: ViewStory) -> Iterator[Decision]:
    age, success = story.age, story.facts.last_success_at
    if not story.exists:
        return
    if age.as_of is None:
        yield Decision(topic=Topic.DATA, text=f"The age of its data is {age}.")
        return
    text = f"Its data are as of {time_text(age.as_of)} ({time_ago_text(age.as_of, story.now)})"
    oldest = [one for one in story.relations.views if one.age.as_of is not None and one.age.as_of <= age.as_of]
    if success is not None and age.as_of < success:
        name = f"{oldest[0].view.name}, which it reads" if oldest else "a view that it reads, at its refresh"
        text += f", like those of {name}"
    yield Decision(topic=Topic.DATA, text=f"{text}.")


def _contract_decisions(story: ViewStory) -> Iterator[Decision]:
    for applied in story.contracts:
        contract, judgement = applied.contract, applied.judgement
        owner = "Its contract" if contract.view is not None else f"The contract of agency {contract.agency}"
        text = f"{owner} ({contract}) is {judgement.state}"
        if judgement.state is FreshnessState.LATE and judgement.deadline is not None:
            text += f" since {time_text(judgement.deadline)} ({format_duration(story.now - judgement.deadline)})"
        elif judgement.deadline is not None:
            text += f" until {time_text(judgement.deadline)}"
        if judgement.cause is not None:
            text += f": {LATE_CAUSE_TEXTS[judgement.cause]}"
        yield Decision(topic=Topic.CONTRACT, text=f"{text}.", level=_CONTRACT_LEVELS[judgement.state])


def _dependency_decisions(story: ViewStory) -> Iterator[Decision]:
    relations = story.relations
    for related in relations.views:
        if problem := _problem_of(related, story):
            text = f"It reads {related.view.name}, which {problem}."
            yield Decision(topic=Topic.DEPENDENCY, text=text, level=Level.WARNING)
    if relations.calls_opaque_functions:
        text = (
            "It calls functions with text bodies, which can read anything. Declare what they read in a line of the"
            " query: -- depends_on: reporting.a"
        )
        yield Decision(topic=Topic.DEPENDENCY, text=text, level=Level.WARNING)


def _problem_of(related: RelatedView, story: ViewStory) -> str:
    facts = related.facts
    if not related.is_listed:
        return "no enabled manifest names, so no run refreshes it"
    problems = {
        "is held, so its data are not new": facts.is_held,
        "is being refreshed now": facts.status is Status.RUNNING,
        "failed in its last refresh, so its data are not new": facts.failing,
        "was never refreshed": facts.last_success_at is None,
    }
    if problem := next((text for text, applies in problems.items() if applies), ""):
        return problem
    success, own_success = facts.last_success_at, story.facts.last_success_at
    is_newer = success is not None and own_success is not None and success > own_success
    return f"was refreshed later, {time_ago_text(success, story.now)}" if is_newer else ""

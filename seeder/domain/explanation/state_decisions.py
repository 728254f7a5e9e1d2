"""Which data checks, waivers and contracts apply to a view, and how it depends on other views."""

from collections.abc import Iterator
from datetime import datetime

from seeder.domain.data_checks.result_text import waived_note_start
from seeder.domain.data_checks.results import CheckOutcome, CheckSeverity
from seeder.domain.explanation.facts import Decision, Level, RelatedView, StoredCheck, Topic, ViewStory
from seeder.domain.explanation.refresh_decisions import time_text
from seeder.domain.freshness.states import LATE_CAUSE_TEXTS, FreshnessState, Judgement
from seeder.domain.human_format import format_count, format_duration, time_ago_text
from seeder.domain.outcomes import Status
from seeder.texts import Text

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
    holding = [check for check in story.checks if _is_unmet(check) and check.severity == CheckSeverity.ERROR]
    if {check.name for check in holding} - {waiver.check_name for waiver in story.waivers}:
        correct = Text("Correct the check and refresh again.")
        if any(check.outcome == CheckOutcome.FAILED for check in holding):
            correct = Text("Correct the data and refresh again.")
        publish = Text(
            "To publish such data once: manage.py waive_check {view} --reason REASON", view=str(story.view.name)
        )
        yield Decision(topic=Topic.DATA_CHECK, text=Text.joined([correct, publish], " "))
    passed = sum(check.outcome == CheckOutcome.PASSED for check in story.checks)
    if passed:
        text = Text("{checks} passed.", checks=format_count(passed, "data check"))
        yield Decision(topic=Topic.DATA_CHECK, text=text, level=Level.OK)


def _is_unmet(check: StoredCheck) -> bool:
    return check.outcome in {CheckOutcome.FAILED, CheckOutcome.COULD_NOT_RUN}


def _unmet_decisions(story: ViewStory) -> Iterator[Decision]:
    for check in story.checks:
        if _is_unmet(check):
            if check.severity == CheckSeverity.ERROR:
                text = Text("Held by data check {check}: {text}.", check=check.name, text=check.text)
                yield Decision(topic=Topic.DATA_CHECK, text=text, level=Level.ERROR)
            else:
                text = Text("Warning of data check {check}: {text}.", check=check.name, text=check.text)
                yield Decision(topic=Topic.DATA_CHECK, text=text, level=Level.WARNING)
        elif check.outcome == CheckOutcome.WAIVED:
            general = Text(
                "Published although data check {check} failed, by a waiver: {text}.", check=check.name, text=check.text
            )
            # The note has the user and the reason, too. It is hidden without the permission to see messages.
            notes = story.last_ended.notes if story.last_ended else ()
            note = next((one for one in notes if one.startswith(waived_note_start(check.name))), None)
            yield Decision(topic=Topic.DATA_CHECK, text=note or general, level=Level.WARNING)


def _waiver_decisions(story: ViewStory) -> Iterator[Decision]:
    for waiver in story.waivers:
        figures = [
            f"{name} {figure}" for name, figure in waiver.figures.items() if isinstance(figure, int | float | str)
        ]
        values = {
            "user": waiver.granted_by,
            "reason": waiver.reason,
            "check": waiver.check_name,
            "bound": ", ".join(figures) or waiver.sqlstate or Text("that it could not run"),
        }
        text = Text(
            "A waiver of {user} ({reason}) lets the next refresh pass data check {check}, unless it is worse than:"
            " {bound}.",
            **values,
        )
        if waiver.expires_at is not None:
            text = Text(
                "A waiver of {user} ({reason}) lets the next refresh pass data check {check}, until {expiry}, unless it"
                " is worse than: {bound}.",
                expiry=time_text(waiver.expires_at),
                **values,
            )
        yield Decision(topic=Topic.WAIVER, text=text, level=Level.WARNING)


def _age_decisions(story: ViewStory) -> Iterator[Decision]:
    age, success = story.age, story.facts.last_success_at
    if not story.exists:
        return
    if age.as_of is None:
        text = Text("The age of its data is {age}.", age=str(age))
        yield Decision(topic=Topic.DATA, text=text)
        return
    values = {"at": time_text(age.as_of), "ago": time_ago_text(age.as_of, story.now)}
    oldest = [one for one in story.relations.views if one.age.as_of is not None and one.age.as_of <= age.as_of]
    if success is None or age.as_of >= success:
        text = Text("Its data are as of {at} ({ago}).", **values)
    elif oldest:
        view = str(oldest[0].view.name)
        text = Text("Its data are as of {at} ({ago}), like those of {view}, which it reads.", view=view, **values)
    else:
        text = Text("Its data are as of {at} ({ago}), like those of a view that it reads, at its refresh.", **values)
    yield Decision(topic=Topic.DATA, text=text)


def _contract_decisions(story: ViewStory) -> Iterator[Decision]:
    for applied in story.contracts:
        contract, judgement = applied.contract, applied.judgement
        name = Text("Its contract ({contract})", contract=str(contract))
        if contract.view is None:
            name = Text("The contract of agency {agency} ({contract})", agency=contract.agency, contract=str(contract))
        text = _contract_text(judgement, name, story.now)
        if judgement.cause is None:
            text = Text("{text}.", text=text)
        else:
            text = Text("{text}: {cause}.", text=text, cause=LATE_CAUSE_TEXTS[judgement.cause])
        yield Decision(topic=Topic.CONTRACT, text=text, level=_CONTRACT_LEVELS[judgement.state])


def _contract_text(judgement: Judgement, contract: Text, now: datetime) -> Text:
    """Return the state of a contract, as the beginning of a sentence."""
    values = {"contract": contract, "deadline": judgement.deadline and time_text(judgement.deadline)}
    match judgement.state, judgement.deadline:
        case FreshnessState.UNKNOWN, _:
            text = Text("{contract} is unknown", contract=contract)
        case FreshnessState.LATE, None:
            text = Text("{contract} is late", contract=contract)
        case FreshnessState.LATE, datetime() as missed:
            text = Text(
                "{contract} is late since {deadline} ({duration})", duration=format_duration(now - missed), **values
            )
        case _, None:
            text = Text("{contract} is fresh", contract=contract)
        case FreshnessState.FRESH, _:
            text = Text("{contract} is fresh until {deadline}", **values)
        case FreshnessState.HELD, _:
            text = Text("{contract} is held, and due by {deadline}", **values)
        case _:
            text = Text("{contract} is due by {deadline}", **values)
    return text


def _dependency_decisions(story: ViewStory) -> Iterator[Decision]:
    relations = story.relations
    for related in relations.views:
        if text := _problem_text(related, story):
            yield Decision(topic=Topic.DEPENDENCY, text=text, level=Level.WARNING)
    if relations.calls_opaque_functions:
        text = Text(
            "It calls functions with text bodies, which can read anything. Declare what they read in a line of the"
            " query: -- depends_on: reporting.a"
        )
        yield Decision(topic=Topic.DEPENDENCY, text=text, level=Level.WARNING)


def _problem_text(related: RelatedView, story: ViewStory) -> Text | None:
    view, facts = str(related.view.name), related.facts
    success, own_success = facts.last_success_at, story.facts.last_success_at
    text = None
    if not related.is_listed:
        text = Text("It reads {view}, which no enabled manifest names, so no run refreshes it.", view=view)
    elif facts.is_held:
        text = Text("It reads {view}, which is held, so its data are not new.", view=view)
    elif facts.status is Status.RUNNING:
        text = Text("It reads {view}, which is being refreshed now.", view=view)
    elif facts.failing:
        text = Text("It reads {view}, which failed in its last refresh, so its data are not new.", view=view)
    elif success is None:
        text = Text("It reads {view}, which was never refreshed.", view=view)
    elif own_success is not None and success > own_success:
        ago = time_ago_text(success, story.now)
        text = Text("It reads {view}, which was refreshed later, {ago}.", view=view, ago=ago)
    return text

"""What would happen if a view were refreshed now, alone or after the views that it reads."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from seeder.domain.circuit_breaker_rules import CircuitBreakerState
from seeder.domain.data_checks.check_order import CheckOrder
from seeder.domain.explanation.facts import Decision, Level, Topic, ViewStory
from seeder.domain.explanation.refresh_decisions import time_text
from seeder.domain.freshness.contract import FreshnessContract
from seeder.domain.freshness.data_age import DataAge
from seeder.domain.freshness.states import FreshnessState, ViewFacts, judge
from seeder.domain.human_format import format_count, format_duration
from seeder.domain.manifests import ViewKey
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.monitoring.state_words import state_word
from seeder.domain.outcomes import Status
from seeder.domain.plan import DefinitionDrift, PlannedAction
from seeder.domain.refresh_mode import ModeChoice
from seeder.domain.result_notes import definition_drift_note
from seeder.domain.skip_decision import SkipPlan
from seeder.domain.view_names import ViewName
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedStep:
    """One view of the plan of the view and of those that it reads."""

    view: ViewKey
    action: PlannedAction
    after: Sequence[str]  # names
    expected_duration: timedelta | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractOutlook:
    """The state of a contract after a refresh of the view alone, and after one of all that it reads."""

    contract: FreshnessContract
    alone: FreshnessState
    together: FreshnessState


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupOutlook:
    """The consistent group of the view."""

    name: str
    others: Sequence[str]  # names of the other members
    hidden_others: int  # views of hidden agencies
    estimated_duration: timedelta
    refusals: Sequence[str]  # why it would not be refreshed
    members: Set[ViewName] = frozenset()  # all of them, also hidden ones


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """The plan of a refresh now, and what would hold it."""

    problem: str | None = None  # why there is no plan
    steps: Sequence[PlannedStep] = ()  # the view is the last one
    hidden_steps: int = 0  # of views of hidden agencies
    longest_chain: timedelta | None = None  # None if a duration is unknown
    mode: ModeChoice | None = None  # None if the view would be created
    skip: SkipPlan | None = None  # None without the table of skip decisions
    group: GroupOutlook | None = None  # None if the view is refreshed alone
    is_unready: bool = False  # PostgreSQL would refuse a concurrent refresh
    drift: Sequence[DefinitionDrift] = ()
    checks: int = 0  # data checks that its new rows have to pass
    check_order: CheckOrder | None = None  # None unless its readers would wait
    breaker: CircuitBreakerState = field(default_factory=CircuitBreakerState)
    shows_causes: bool = True  # of the open breaker, which can name views of other agencies
    next_trial_at: datetime | None = None  # None if the breaker is closed
    active_queries: int | None = None  # None without a throttle
    max_active_queries: int = 0
    blocking_sessions: Sequence[str] = ()  # empty texts if the user may not see them
    age_alone: DataAge | None = None
    age_together: DataAge | None = None

    @property
    def own_step(self) -> PlannedStep | None:
        """The step of the view itself."""
        return self.steps[-1] if self.steps else None


def contract_outlooks(story: ViewStory, outlook: Outlook) -> Sequence[ContractOutlook]:
    """Judge each contract of the view as if a refresh that starts now had succeeded."""
    if outlook.age_alone is None or outlook.age_together is None:
        return ()
    facts = ViewFacts(status=Status.SUCCESS, last_success_at=story.now)
    return [
        ContractOutlook(
            contract=one.contract,
            alone=judge(one.contract, outlook.age_alone, facts, story.now).state,
            together=judge(one.contract, outlook.age_together, facts, story.now).state,
        )
        for one in story.contracts
    ]


def outlook_decisions(story: ViewStory, outlook: Outlook) -> Iterator[Decision]:
    """Yield what a refresh now would do, and what would hold it."""
    if outlook.problem is not None:
        yield Decision(topic=Topic.PLAN, text=outlook.problem, level=Level.WARNING)
    yield from _hold_decisions(story, outlook)
    yield from _plan_decisions(outlook)
    if outlook.checks:
        text = Text.counted(
            "{number} data check decides if its new rows are published.",
            "{number} data checks decide if its new rows are published.",
            outlook.checks,
        )
        order = [str(outlook.check_order)] if outlook.check_order else []
        yield Decision(topic=Topic.DATA_CHECK, text=Text.joined([text, *order], " "))
    for drift in outlook.drift:
        yield Decision(topic=Topic.DRIFT, text=definition_drift_note(drift), level=Level.WARNING)
    yield from _result_decisions(story, outlook)


def _hold_decisions(story: ViewStory, outlook: Outlook) -> Iterator[Decision]:
    if (text := _open_breaker_text(story, outlook)) is not None:
        yield Decision(topic=Topic.BREAKER, text=text, level=Level.ERROR)
    active = outlook.active_queries
    if active is not None and active >= outlook.max_active_queries:
        text = Text(
            "The throttle would hold it: SEEDER_MAX_DB_ACTIVE_QUERIES is {most}, and the server has {sessions}.",
            most=outlook.max_active_queries,
            sessions=format_count(active, "active session"),
        )
        yield Decision(topic=Topic.WAIT, text=text, level=Level.WARNING)
    if sessions := outlook.blocking_sessions:
        counted = format_count(len(sessions), "other session")
        text = Text("It would wait for locks of {sessions}.", sessions=counted)
        if all(sessions):
            names = Text.joined(sessions, "; ")
            text = Text("It would wait for locks of {sessions}: {names}.", sessions=counted, names=names)
        yield Decision(topic=Topic.LOCK, text=text, level=Level.WARNING)


def _open_breaker_text(story: ViewStory, outlook: Outlook) -> Text | None:
    breaker, trial_at = outlook.breaker, outlook.next_trial_at
    if breaker.opened_at is None or trial_at is None:
        return None
    values = {
        "database": story.view.database,
        "since": time_text(breaker.opened_at),
        "failures": format_count(breaker.failures, "failure"),
    }
    opened = Text("The circuit breaker of {database} is open since {since} after {failures} in a row.", **values)
    if outlook.shows_causes and breaker.causes:
        opened = Text(
            "The circuit breaker of {database} is open since {since} after {failures} in a row: {causes}.",
            causes=breaker.cause_text(),
            **values,
        )
    trial = Text("One view is tried at {at}.", at=time_text(trial_at))
    if trial_at <= story.now:
        trial = Text("One view is tried now.")
    return Text.joined([opened, trial, Text("When the cause is repaired: manage.py reset_breaker")], " ")


def _plan_decisions(outlook: Outlook) -> Iterator[Decision]:
    own = outlook.own_step
    if own is None:
        return
    expected = own.expected_duration
    duration = Text("for an unknown time")
    if expected is not None:
        duration = Text("for about {duration}", duration=format_duration(expected))
    if own.action is PlannedAction.CREATE:
        text = Text("A refresh now would create it, {duration}.", duration=duration)
    elif outlook.mode is not None and outlook.mode.reason is not None:
        text = Text("A refresh now would run {duration}. {reason}", duration=duration, reason=outlook.mode.reason)
    elif outlook.mode is not None and outlook.mode.mode is RefreshMode.CONCURRENT and not outlook.is_unready:
        text = Text("A refresh now would run concurrently, {duration}.", duration=duration)
    elif outlook.mode is not None and outlook.mode.mode is RefreshMode.CONCURRENT:
        text = Text(
            "A refresh now would run plainly, which blocks readers, because PostgreSQL would refuse a concurrent one,"
            " {duration}.",
            duration=duration,
        )
    else:
        text = Text("A refresh now would run plainly, which blocks readers, {duration}.", duration=duration)
    yield Decision(topic=Topic.PLAN, text=text)
    if outlook.skip is not None:
        yield Decision(topic=Topic.SKIP, text=outlook.skip.reason)
    if outlook.group is not None:
        yield from _group_decisions(outlook.group, shows_names=not outlook.group.hidden_others)
        return
    others = len(outlook.steps) - 1 + outlook.hidden_steps
    if others:
        chain = outlook.longest_chain
        text = Text(
            "refresh_table refreshes this view only. A run of it and of the {views} that it needs takes {duration}.",
            views=format_count(others, "view"),
            duration=_about(chain),
        )
        yield Decision(topic=Topic.PLAN, text=text)


def _about(duration: timedelta | None) -> Text:
    if duration is None:
        return Text("an unknown time")
    return Text("about {duration}", duration=format_duration(duration))


def _group_decisions(group: GroupOutlook, *, shows_names: bool) -> Iterator[Decision]:
    others = [*group.others]
    if group.hidden_others:
        others.append(Text("{views} of other agencies", views=format_count(group.hidden_others, "view")))
    text = Text(
        "It becomes visible together with {others}: the consistent group {group} is always refreshed as a whole, in"
        " about {duration}.",
        others=Text.joined(others) if others else Text("no other view"),
        group=group.name,
        duration=format_duration(group.estimated_duration),
    )
    yield Decision(topic=Topic.PLAN, text=text)
    if group.refusals and not shows_names:
        text = Text("The group would not be refreshed now.")
        yield Decision(topic=Topic.PLAN, text=text, level=Level.ERROR)
    for refusal in group.refusals if shows_names else ():
        text = Text("The group would not be refreshed now: {refusal}", refusal=refusal)
        yield Decision(topic=Topic.PLAN, text=text, level=Level.ERROR)


def _result_decisions(story: ViewStory, outlook: Outlook) -> Iterator[Decision]:
    """Yield as of when the data would be, and which contracts they would meet."""
    alone, together = outlook.age_alone, outlook.age_together
    if alone is None or together is None:
        return
    yield Decision(topic=Topic.DATA, text=_age_text(story, alone, together))
    for one in contract_outlooks(story, outlook):
        contract = str(one.contract)
        if one.alone is FreshnessState.FRESH:
            text, level = Text("The contract ({contract}) would be met by a refresh now.", contract=contract), Level.OK
        elif one.together is FreshnessState.FRESH:
            text = Text("The contract ({contract}) would be met only after the views that it reads.", contract=contract)
            level = Level.WARNING
        else:
            state = state_word(one.together)
            text = Text(
                "The contract ({contract}) would be {state} even after a refresh now.", contract=contract, state=state
            )
            level = Level.ERROR
        yield Decision(topic=Topic.CONTRACT, text=text, level=level)


def _age_text(story: ViewStory, alone: DataAge, together: DataAge) -> Text:
    names = [str(one.view.name) for one in story.relations.views if one.age.as_of == alone.as_of]
    if alone.as_of is None:
        text = Text("After a refresh alone, the age of its data would be {age}.", age=str(alone))
    elif alone.as_of >= story.now:
        return Text("After a refresh, its data would be as of its start.")
    elif names:
        text = Text(
            "After a refresh alone, its data would be as of {at}, because {view} is.",
            at=time_text(alone.as_of),
            view=names[0],
        )
    else:
        text = Text("After a refresh alone, its data would be as of {at}.", at=time_text(alone.as_of))
    if together == alone:
        return text
    if together.as_of == story.now:
        after = Text("After the views that it reads, they would be as of its start.")
    else:
        after = Text("After the views that it reads, they would be as of {age}.", age=str(together))
    return Text.joined([text, after], " ")

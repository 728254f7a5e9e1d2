"""What would happen if a view were refreshed now, alone or after the views that it reads."""

from collections.abc import Iterator, Sequence
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
from seeder.domain.outcomes import Status
from seeder.domain.plan import DefinitionDrift, PlannedAction
from seeder.domain.refresh_mode import ModeChoice
from seeder.domain.result_notes import definition_drift_note
from seeder.domain.skip_decision import SkipPlan


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
        counted = "1 data check decides" if outlook.checks == 1 else f"{outlook.checks} data checks decide"
        order = f" {outlook.check_order}" if outlook.check_order else ""
        yield Decision(topic=Topic.DATA_CHECK, text=f"{counted} if its new rows are published.{order}")
    for drift in outlook.drift:
        yield Decision(topic=Topic.DRIFT, text=definition_drift_note(drift), level=Level.WARNING)
    yield from _result_decisions(story, outlook)


def _hold_decisions(story: ViewStory, outlook: Outlook) -> Iterator[Decision]:
    breaker, database = outlook.breaker, story.view.database
    if breaker.opened_at is not None and outlook.next_trial_at is not None:
        causes = f": {breaker.cause_text()}" if outlook.shows_causes and breaker.causes else ""
        trial = (
            "is tried now" if outlook.next_trial_at <= story.now else f"is tried at {time_text(outlook.next_trial_at)}"
        )
        text = (
            f"The circuit breaker of {database} is open since {time_text(breaker.opened_at)} after"
            f" {breaker.failures} failures in a row{causes}. One view {trial}. When the cause is repaired:"
            " manage.py reset_breaker"
        )
        yield Decision(topic=Topic.BREAKER, text=text, level=Level.ERROR)
    active = outlook.active_queries
    if active is not None and active >= outlook.max_active_queries:
        text = (
            f"The throttle would hold it: SEEDER_MAX_DB_ACTIVE_QUERIES is {outlook.max_active_queries}, and the server"
            f" has {format_count(active, 'active session')}."
        )
        yield Decision(topic=Topic.WAIT, text=text, level=Level.WARNING)
    if sessions := outlook.blocking_sessions:
        named = ": " + "; ".join(sessions) if all(sessions) else ""
        text = f"It would wait for locks of {format_count(len(sessions), 'other session')}{named}."
        yield Decision(topic=Topic.LOCK, text=text, level=Level.WARNING)


def _plan_decisions(outlook: Outlook) -> Iterator[Decision]:
    own = outlook.own_step
    if own is None:
        return
    expected = own.expected_duration
    duration = "for an unknown time" if expected is None else f"for about {format_duration(expected)}"
    if own.action is PlannedAction.CREATE:
        text = f"A refresh now would create it, {duration}."
    elif outlook.mode is not None and outlook.mode.reason is not None:
        text = f"A refresh now would run {duration}. {outlook.mode.reason}"
    else:
        text = f"A refresh now would run {_mode_text(outlook)}, {duration}."
    yield Decision(topic=Topic.PLAN, text=text)
    if outlook.skip is not None:
        yield Decision(topic=Topic.SKIP, text=outlook.skip.reason)
    if outlook.group is not None:
        yield from _group_decisions(outlook.group, shows_names=not outlook.group.hidden_others)
        return
    others = len(outlook.steps) - 1 + outlook.hidden_steps
    if others:
        chain = outlook.longest_chain
        duration_text = "an unknown time" if chain is None else f"about {format_duration(chain)}"
        text = (
            f"refresh_table refreshes this view only. A run of it and of the {format_count(others, 'view')} that"
            f" it needs takes {duration_text}."
        )
        yield Decision(topic=Topic.PLAN, text=text)


def _group_decisions(group: GroupOutlook, *, shows_names: bool) -> Iterator[Decision]:
    names = ", ".join(group.others)
    hidden = f"{format_count(group.hidden_others, 'view')} of other agencies" if group.hidden_others else ""
    others = " and ".join(filter(None, (names, hidden))) or "no other view"
    text = (
        f"It becomes visible together with {others}: the consistent group {group.name} is always refreshed as a whole,"
        f" in about {format_duration(group.estimated_duration)}."
    )
    yield Decision(topic=Topic.PLAN, text=text)
    if group.refusals and not shows_names:
        yield Decision(topic=Topic.PLAN, text="The group would not be refreshed now.", level=Level.ERROR)
    for refusal in group.refusals if shows_names else ():
        text = f"The group would not be refreshed now: {refusal}"
        yield Decision(topic=Topic.PLAN, text=text, level=Level.ERROR)


def _mode_text(outlook: Outlook) -> str:
    if outlook.mode is None or outlook.mode.mode is RefreshMode.PLAIN:
        return "plainly, which blocks readers"
    if outlook.is_unready:
        return "plainly, which blocks readers, because PostgreSQL would refuse a concurrent one"
    return "concurrently"


def _result_decisions(story: ViewStory, outlook: Outlook) -> Iterator[Decision]:
    """Yield as of when the data would be, and which contracts they would meet."""
    alone, together = outlook.age_alone, outlook.age_together
    if alone is None or together is None:
        return
    yield Decision(topic=Topic.DATA, text=_age_text(story, alone, together))
    for one in contract_outlooks(story, outlook):
        meets_alone, meets = (state is FreshnessState.FRESH for state in (one.alone, one.together))
        if meets_alone:
            text, level = "would be met by a refresh now", Level.OK
        elif meets:
            text, level = "would be met only after the views that it reads", Level.WARNING
        else:
            text, level = f"would be {one.together} even after a refresh now", Level.ERROR
        yield Decision(topic=Topic.CONTRACT, text=f"The contract ({one.contract}) {text}.", level=level)


def _age_text(story: ViewStory, alone: DataAge, together: DataAge) -> str:
    names = [str(one.view.name) for one in story.relations.views if one.age.as_of == alone.as_of]
    if alone.as_of is None:
        text = f"After a refresh alone, the age of its data would be {alone}"
    elif alone.as_of >= story.now:
        return "After a refresh, its data would be as of its start."
    else:
        cause = f", because {names[0]} is" if names else ""
        text = f"After a refresh alone, its data would be as of {time_text(alone.as_of)}{cause}"
    if together == alone:
        return f"{text}."
    after = "its start" if together.as_of == story.now else str(together)
    return f"{text}; after the views that it reads, as of {after}."

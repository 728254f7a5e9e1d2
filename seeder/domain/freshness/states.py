"""The state of a contract of a view, and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from seeder.domain.freshness.contract import FreshnessContract
from seeder.domain.freshness.data_age import DataAge
from seeder.domain.freshness.deadlines import missed_deadline, next_deadline
from seeder.domain.outcomes import Status
from seeder.texts import Text


class FreshnessState(StrEnum):
    """Whether the data of a view meet a contract."""

    FRESH = "fresh"
    DUE = "due"  # a refresh should be running, or the contract will be late
    HELD = "held"  # due, and a data check or an open circuit breaker holds it
    LATE = "late"  # its deadline has passed
    UNKNOWN = "unknown"  # it is unknown as of when the data are


class LateCause(StrEnum):
    """Why a contract is due or late, or its state unknown."""

    NEVER_REFRESHED = "never_refreshed"
    NOT_STARTED = "not_started"  # no refresh has started in time
    WAITING = "waiting"  # its refresh waits for a worker or a dependency
    RUNNING = "running"
    FAILED = "failed"  # its last refresh failed
    INTERRUPTED = "interrupted"  # its last refresh was
    HELD = "held"
    UPSTREAM_LATE = "upstream_late"  # it was refreshed in time, but from old data of a view that it reads
    AGE_UNKNOWN = "age_unknown"  # as of when its data are


LATE_CAUSE_TEXTS = {
    LateCause.NEVER_REFRESHED: Text("never refreshed"),
    LateCause.NOT_STARTED: Text("no refresh started"),
    LateCause.WAITING: Text("its refresh waits"),
    LateCause.RUNNING: Text("its refresh is running"),
    LateCause.FAILED: Text("its last refresh failed"),
    LateCause.INTERRUPTED: Text("its last refresh was interrupted"),
    LateCause.HELD: Text("held by a data check or a circuit breaker"),
    LateCause.UPSTREAM_LATE: Text("a view that it reads has old data"),
    LateCause.AGE_UNKNOWN: Text("as of when its data are is unknown"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewFacts:
    """What is known about the refreshes of a view."""

    status: Status | None = None  # None if it never ran
    failing: bool = False  # its last finished refresh failed
    last_started_at: datetime | None = None  # start of its last refresh, also a failed one
    last_success_at: datetime | None = None  # start of the last successful refresh
    usual_duration: timedelta | None = None  # of that refresh
    is_held: bool = False  # by a data check, or by a circuit breaker
    is_interrupted: bool = False  # the run of its last refresh was stopped or killed


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """The state of a contract of a view."""

    state: FreshnessState
    cause: LateCause | None = None  # None if it is fresh
    deadline: datetime | None = None  # with grace: the missed one, otherwise the next; None if the next is not open yet


def judge(contract: FreshnessContract, age: DataAge, facts: ViewFacts, now: datetime) -> Judgement:
    """Return the state of a contract at an instant, which is the database's time.

    A view that never succeeded has no data, so a failed creation is late at once for a target lag.
    """
    has_no_data = facts.last_success_at is None
    if age.as_of is None and not has_no_data:
        return Judgement(state=FreshnessState.UNKNOWN, cause=LateCause.AGE_UNKNOWN)
    missed = missed_deadline(contract, age.as_of, now)
    if missed is not None or (has_no_data and facts.failing and contract.target_lag is not None):
        return Judgement(state=FreshnessState.LATE, cause=_cause(contract, age, facts, now), deadline=missed)
    if has_no_data and contract.target_lag is not None:
        return Judgement(state=FreshnessState.UNKNOWN, cause=_cause(contract, age, facts, now))
    deadline = next_deadline(contract, age.as_of, now)
    if deadline is None or now < deadline - contract.grace - (facts.usual_duration or timedelta()):
        return Judgement(state=FreshnessState.FRESH, deadline=deadline)
    state = FreshnessState.HELD if facts.is_held else FreshnessState.DUE
    return Judgement(state=state, cause=_cause(contract, age, facts, now), deadline=deadline)


def _cause(contract: FreshnessContract, age: DataAge, facts: ViewFacts, now: datetime) -> LateCause:
    refreshed_at = facts.last_success_at
    has_old_inputs = refreshed_at is not None and age.as_of is not None and age.as_of < refreshed_at
    causes = (
        (facts.status is Status.RUNNING, LateCause.RUNNING),
        (facts.status is Status.PENDING, LateCause.WAITING),
        (facts.is_held, LateCause.HELD),
        (facts.failing, LateCause.FAILED),
        (facts.is_interrupted, LateCause.INTERRUPTED),
        (refreshed_at is None, LateCause.NEVER_REFRESHED),
        (has_old_inputs and missed_deadline(contract, refreshed_at, now) is None, LateCause.UPSTREAM_LATE),
    )
    return next((cause for holds, cause in causes if holds), LateCause.NOT_STARTED)

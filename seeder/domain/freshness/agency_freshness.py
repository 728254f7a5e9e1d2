"""How fresh the data of an agency are, for readers of its reports."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from seeder.domain.freshness.contract import ContractSeverity, FreshnessContract
from seeder.domain.freshness.data_age import NEVER_RECORDED, DataAge
from seeder.domain.freshness.states import FreshnessState, LateCause, ViewFacts, judge
from seeder.texts import Text


class ReaderState(StrEnum):
    """Whether a reader can rely on the data of an agency."""

    ON_TIME = "on time"
    LATE = "late"  # a contract of severity error is
    UNKNOWN = "unknown"  # it is unknown as of when the data of a view are
    NO_DATA = "no data"  # no view exists yet


@dataclass(frozen=True, kw_only=True, slots=True)
class AgencyView:
    """A view of an agency, and the contracts that apply to it."""

    age: DataAge | None  # None if the view does not exist
    facts: ViewFacts
    contracts: Sequence[FreshnessContract]


@dataclass(frozen=True, kw_only=True, slots=True)
class AgencyFreshness:
    """As of when the data of an agency are, in its time zone."""

    state: ReaderState
    data_as_of: datetime | None = None  # of its oldest view; None if that of any view is unknown
    as_of_text: str = ""  # such as `02:14 CET`, with the day unless it is today


def agency_freshness(views: Iterable[AgencyView], now: datetime, zone: ZoneInfo) -> AgencyFreshness:
    """Judge an agency by all its views. Its data are as old as those of the oldest view."""
    states, instants = set[ReaderState](), list[datetime | None]()
    for view in views:
        states.add(_state(view, now))
        if view.age is not None:
            instants.append(view.age.as_of)
    oldest = min((at for at in instants if at is not None), default=None)
    if oldest is None or None in instants:
        return AgencyFreshness(state=_worst(states))
    oldest = oldest.astimezone(zone)
    return AgencyFreshness(
        state=_worst(states), data_as_of=oldest, as_of_text=_as_of_text(oldest, now.astimezone(zone))
    )


def _state(view: AgencyView, now: datetime) -> ReaderState:
    age = view.age or NEVER_RECORDED
    judgements = [(one, judge(one, age, view.facts, now)) for one in view.contracts]
    for contract, judgement in judgements:
        if judgement.state is FreshnessState.LATE and contract.severity is ContractSeverity.ERROR:
            return ReaderState.LATE
    if view.age is None:
        # A view that was dropped, or whose database does not answer, has succeeded before.
        was_there = any(judgement.cause is LateCause.AGE_UNKNOWN for _, judgement in judgements)
        return ReaderState.UNKNOWN if was_there else ReaderState.NO_DATA
    return ReaderState.UNKNOWN if age.as_of is None else ReaderState.ON_TIME


def _worst(states: set[ReaderState]) -> ReaderState:
    """Return the state of all views. A view that does not exist yet has no data that could be old."""
    order = (ReaderState.LATE, ReaderState.UNKNOWN, ReaderState.ON_TIME, ReaderState.NO_DATA)
    return next((state for state in order if state in states), ReaderState.NO_DATA)


def _as_of_text(at: datetime, now: datetime) -> Text:
    if at.date() == now.date():
        return Text("{at:%H:%M %Z}", at=at)
    if at.year == now.year:
        return Text("{at:%-d %b %H:%M %Z}", at=at)
    return Text("{at:%-d %b %Y %H:%M %Z}", at=at)

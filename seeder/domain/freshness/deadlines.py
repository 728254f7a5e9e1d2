"""The deadlines of a contract. All instants include the contract's grace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from seeder.domain.clock_changes import instant_of
from seeder.domain.freshness.contract import DueTime, FreshnessContract
from seeder.domain.manifests import ViewKey
from seeder.texts import Text

# A week before, for the last deadline of a contract for one weekday, and a day more for time zones and grace.
_DAYS_BEFORE, _DAYS_AFTER = 9, 2
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadline:
    """An instant by which a view must have data of a period."""

    at: datetime  # with grace
    since: datetime  # data as of this or later meet it


@dataclass(frozen=True, kw_only=True, slots=True)
class FreshBounds:
    """Which data of a contract are certainly fresh, so that nothing else about the view matters.

    They are as of `current_since` or later. Or they are as of `usable_since` or later, and a refresh takes less than
    the spare time.
    """

    current_since: datetime | None  # None: the spare time decides
    usable_since: datetime
    spare: timedelta | None  # until the refresh has to start; None: the time from `usable_since` to the data


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractDeadline:
    """The deadline of a contract of a view."""

    contract: FreshnessContract
    at: datetime  # with grace


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDeadlines:
    """Deadlines of the contracts that a run can meet or has missed."""

    now: datetime = _NEVER  # by the database's clock, if there are contracts
    workers: int = 1  # in each database
    of_views: Mapping[ViewKey, Sequence[ContractDeadline]] = field(default_factory=dict)
    durations: Mapping[ViewKey, timedelta] = field(default_factory=dict)  # likely ones of all views

    @property
    def earliest(self) -> Mapping[ViewKey, datetime]:
        return {key: min(one.at for one in deadlines) for key, deadlines in self.of_views.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class MissedContract:
    """A contract that a plan is expected to miss."""

    view: ViewKey
    contract: FreshnessContract
    deadline: datetime
    expected_end: datetime  # of the view's refresh
    is_late: bool  # the deadline has passed already

    def __str__(self) -> str:
        view, contract = str(self.view.name), str(self.contract)
        if self.is_late:
            return Text(
                "{view} will probably miss its contract ({contract}): its deadline has passed.",
                view=view,
                contract=contract,
            )
        return Text(
            "{view} will probably miss its contract ({contract}): it is expected at {end:%Y-%m-%d %H:%M %Z}, due"
            " {deadline:%H:%M %Z}.",
            view=view,
            contract=contract,
            end=self.expected_end,
            deadline=self.deadline,
        )


def next_deadline(contract: FreshnessContract, data_as_of: datetime | None, now: datetime) -> datetime | None:
    """Return the deadline that a refresh can meet or has missed. None if the next one needs data from the future.

    Data of an unknown age count as refreshed now for a target lag, and as too old for a due time.
    """
    if contract.target_lag is not None:
        return (now if data_as_of is None else data_as_of) + contract.target_lag + contract.grace
    if ahead := [one.at for one in _open_deadlines(contract, now) if not _meets(data_as_of, one)]:
        return min(ahead)
    return missed_deadline(contract, data_as_of, now)


def missed_deadline(contract: FreshnessContract, data_as_of: datetime | None, now: datetime) -> datetime | None:
    """Return the last deadline that has passed, if the data do not meet it.

    Data of an unknown age have missed no target lag.
    """
    if contract.target_lag is not None:
        deadline = None if data_as_of is None else data_as_of + contract.target_lag + contract.grace
        return deadline if deadline is not None and deadline < now else None
    last = _last_deadline(contract, now)
    return None if last is None or _meets(data_as_of, last) else last.at


def fresh_bounds(contract: FreshnessContract, now: datetime) -> FreshBounds:
    """Return bounds for the data of all views of a contract. Data beyond them can be fresh, too."""
    if contract.target_lag is not None:
        return FreshBounds(current_since=None, usable_since=now - contract.target_lag, spare=None)
    last, ahead = _last_deadline(contract, now), _open_deadlines(contract, now)
    usable_since = _NEVER if last is None else last.since
    return FreshBounds(
        current_since=max([usable_since, *(one.since for one in ahead)]),
        usable_since=usable_since,
        spare=min((one.at for one in ahead), default=now) - contract.grace - now,
    )


def _last_deadline(contract: FreshnessContract, now: datetime) -> Deadline | None:
    """Return the last deadline that has passed."""
    return max((one for one in _deadlines(contract, now) if one.at < now), key=lambda one: one.at, default=None)


def _open_deadlines(contract: FreshnessContract, now: datetime) -> Sequence[Deadline]:
    """Return the deadlines that are ahead, and whose period has begun."""
    return [one for one in _deadlines(contract, now) if one.since <= now <= one.at]


def _meets(data_as_of: datetime | None, deadline: Deadline) -> bool:
    return data_as_of is not None and data_as_of >= deadline.since


def _deadlines(contract: FreshnessContract, now: datetime) -> Sequence[Deadline]:
    """Return the deadlines of a due time around an instant, in order."""
    due = contract.due
    return () if due is None else _deadlines_around(due, now.astimezone(due.zone).date(), contract.grace)


@lru_cache(maxsize=1024)  # a minute's look at many views needs the same ones
def _deadlines_around(due: DueTime, today: date, grace: timedelta) -> Sequence[Deadline]:
    days = (today + timedelta(days=number) for number in range(-_DAYS_BEFORE - grace.days - 1, _DAYS_AFTER))
    return [_on(due, day, grace) for day in days if day.isoweekday() in due.days]


def _on(due: DueTime, day: date, grace: timedelta) -> Deadline:
    first_day = day - timedelta(days=due.since > due.at)
    at = instant_of(datetime.combine(day, due.at, tzinfo=due.zone))
    since = instant_of(datetime.combine(first_day, due.since, tzinfo=due.zone))
    return Deadline(at=at + grace, since=since)

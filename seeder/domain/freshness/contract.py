"""Freshness contracts: how fresh a view, or the views of an agency, have to be."""

import re
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from seeder.domain.human_format import format_duration
from seeder.domain.view_names import ViewName
from seeder.texts import Text

_DAYS = re.compile(r"[1-7](-[1-7])?(,[1-7](-[1-7])?)*")
_EVERY_DAY = frozenset(range(1, 8))


class ContractSeverity(StrEnum):
    """How severe it is if a contract is late."""

    ERROR = "error"
    WARN = "warn"  # is reported, and raises no alarm


@dataclass(frozen=True, kw_only=True, slots=True)
class DueTime:
    """A local time on some weekdays, by which data have to be of a period."""

    at: time
    since: time  # the data have to be as of this local time or later; of the day before if it is later than `at`
    zone: ZoneInfo
    days: frozenset[int]  # ISO weekdays: 1 is Monday

    def __str__(self) -> str:
        at = Text("{at:%H:%M} {zone}", at=self.at, zone=self.zone.key)
        if self.days != _EVERY_DAY:
            days = ", ".join(map(str, sorted(self.days)))
            at = Text("{at:%H:%M} {zone} on weekdays {days}", at=self.at, zone=self.zone.key, days=days)
        if self.since == time():
            return Text("due at {at}", at=at)
        return Text("due at {at}, of {since:%H:%M} or later", at=at, since=self.since)


@dataclass(frozen=True, kw_only=True, slots=True)
class FreshnessContract:
    """A target lag or a due time, of one view or of all views of an agency."""

    id: int
    view: ViewName | None  # None if it is an agency's
    agency: str | None  # None if it is a view's
    target_lag: timedelta | None  # maximum age of the data; None if there is a due time
    due: DueTime | None
    grace: timedelta = timedelta()  # after the deadline, until the contract is late
    severity: ContractSeverity = ContractSeverity.ERROR

    def __str__(self) -> str:
        if self.target_lag is None:
            return str(self.due)
        return Text("at most {lag} old", lag=format_duration(self.target_lag))


@dataclass(frozen=True, kw_only=True, slots=True)
class InvalidContract:
    """A contract that cannot be read."""

    id: int
    message: str


def parse_days(text: str) -> frozenset[int]:
    """Read ISO weekdays such as `1-5` or `1,3,7`. Raises `ValueError`."""
    if not _DAYS.fullmatch(text):
        raise ValueError(Text("{text!r} are no weekdays: 1 is Monday, 1-5 and 1,3,7 are possible", text=text))
    days = set[int]()
    for part in text.split(","):
        first, _, last = part.partition("-")
        days |= set(range(int(first), int(last or first) + 1))
    if not days:
        raise ValueError(Text("{text!r} are no weekdays: a range ends with the later day", text=text))
    return frozenset(days)


def parse_zone(name: str) -> ZoneInfo:
    """Return a time zone. Raises `ValueError` if its name is unknown."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # unknown, no relative path, a folder
        raise ValueError(Text("{zone!r} is no time zone", zone=name)) from error

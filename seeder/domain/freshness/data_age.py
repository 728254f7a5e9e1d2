"""As of when the data of a view are.

They are as of an instant if everything that was visible then is in the view. A refresh is as of the instant at which it
had its locks, before its snapshot, or as of the oldest data of the materialized views that it reads.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from seeder.texts import Text


class UnknownAge(StrEnum):
    """Why it is unknown as of when data are."""

    NEVER_RECORDED = "never_recorded"  # no refresh since the table exists
    REFRESHED_BY_OTHERS = "refreshed_by_others"  # the view is not as seeder's last refresh left it
    UPSTREAM_UNKNOWN = "upstream_unknown"  # that of a materialized view that it reads is unknown
    UPSTREAM_CHANGED = "upstream_changed"  # one of them was refreshed during the refresh
    HIDDEN_INPUTS = "hidden_inputs"  # a function with a text body can read any view, and nothing is declared


@dataclass(frozen=True, kw_only=True, slots=True)
class DataAge:
    """As of when the data of a view are, or why that is unknown."""

    as_of: datetime | None
    unknown: UnknownAge | None = None  # set if and only if it is unknown

    def __str__(self) -> str:
        return _TEXTS[self.unknown] if self.unknown else Text("{instant:%Y-%m-%d %H:%M:%S %Z}", instant=self.as_of)


_TEXTS = {
    UnknownAge.NEVER_RECORDED: Text("unknown until the next refresh"),
    UnknownAge.REFRESHED_BY_OTHERS: Text("unknown: not refreshed by seeder"),
    UnknownAge.UPSTREAM_UNKNOWN: Text("unknown, as of a view that it reads"),
    UnknownAge.UPSTREAM_CHANGED: Text("unknown: a view that it reads changed meanwhile"),
    UnknownAge.HIDDEN_INPUTS: Text("unknown: it calls functions with text bodies"),
}

NEVER_RECORDED = DataAge(as_of=None, unknown=UnknownAge.NEVER_RECORDED)


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewVersion:
    """A state of a materialized view in its catalog: every refresh writes another one."""

    oid: int
    xmin: str  # of its row in pg_class


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshedData:
    """As of when the data of a refresh will be, if the views that it reads stay as they are until it has read them."""

    age: DataAge
    read: tuple[ViewVersion, ...] = ()  # the materialized views, before the refresh
    version: ViewVersion | None = None  # of the refreshed view, if another database has the row for it


def data_age(locked_at: datetime, upstream: Iterable[DataAge], *, hides_inputs: bool) -> DataAge:
    """Return as of when a refresh is that reads views with these ages."""
    if hides_inputs:
        return DataAge(as_of=None, unknown=UnknownAge.HIDDEN_INPUTS)
    instants = [one.as_of for one in upstream]
    if None in instants:
        return DataAge(as_of=None, unknown=UnknownAge.UPSTREAM_UNKNOWN)
    return DataAge(as_of=min([locked_at, *(one for one in instants if one is not None)]))

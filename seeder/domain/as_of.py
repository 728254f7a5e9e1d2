"""Which loads of the tables behind a view it contains."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from seeder.domain.human_format import format_count
from seeder.domain.view_names import ViewName
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshSnapshot:
    """What a refresh could see."""

    taken_at: datetime  # by the database's clock
    snapshot: str | None  # a pg_snapshot; None if not recorded


@dataclass(frozen=True, kw_only=True, slots=True)
class TableBehindView:
    """A table whose rows a view shows: directly, or through other materialized views."""

    view: ViewName
    table: ViewName
    snapshots: tuple[RefreshSnapshot, ...]  # of the refreshes that read the table; a load must be in all of them


@dataclass(frozen=True, kw_only=True, slots=True)
class TableAsOf:
    """Which loads of a table a view contains."""

    table: str
    load_id: int | None  # the last committed load that the view contains; None if it contains none
    loaded_at: datetime | None
    newer_loads: int  # committed loads that the view does not contain
    by_times: bool  # transaction ids do not tell, so times were compared

    def __str__(self) -> str:
        if self.load_id is None:
            text = Text("no load of {table}", table=self.table)
        else:
            text = Text("load {load_id} of {table}", load_id=self.load_id, table=self.table)
        if self.newer_loads:
            text = Text.joined([text, format_count(self.newer_loads, "newer load")])
        return Text("{load} (by time)", load=text) if self.by_times else text


@dataclass(frozen=True, kw_only=True, slots=True)
class RelationAsOf:
    """As of when the rows of a relation are."""

    refreshed_at: datetime | None  # start of the last refresh; None for a table, a plain view, and without a refresh
    stale: bool  # a materialized view whose last refresh is longer ago than SEEDER_STALE_HOURS, or unknown
    tables: Sequence[TableAsOf]  # the loaded tables behind it


# Gets Django's alias of a database, and the tables behind views. Returns what it knows about the loads of each view.
AsOfProvider = Callable[[str, Sequence[TableBehindView]], Mapping[ViewName, Sequence[TableAsOf]]]


def as_of_text(tables: Sequence[TableAsOf]) -> Text:
    """Return text such as `load 12 of sales.orders, 1 newer load; load 3 of sales.prices`."""
    return Text.joined(map(str, tables), "; ")

"""Decides by earlier runs whether views use parallel query while all workers are busy.

Parallel query makes one refresh faster, but needs more of the server's processors: 1.4 times for the queries of TPC-H.
If the workers keep all of them busy, the run ends later. The catalog does not know the number of processors, and the
duration of one view does not show it: beside refreshes without parallel query, one with it gets more than its share.
So an entire run does the same, and runs are compared by the durations of the views that both refreshed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_AGE = timedelta(days=60)  # of runs that are compared
_RETRIAL = timedelta(days=30)  # data, server and workers change
_MIN_GAIN = 0.05  # of the time; less is within the noise, and the server's setting is used
_MIN_WORK = timedelta(seconds=5)  # for each worker


@dataclass(frozen=True, kw_only=True, slots=True)
class ParallelTrials:
    """Earlier runs with as many workers that kept them busy, with and without parallel query."""

    latest_with: datetime | None = None  # start of the latest run
    latest_without: datetime | None = None
    views: int = 0  # refreshed in both kinds of runs, at similar cost
    total_with: timedelta = timedelta()  # of the usual durations of these views
    total_without: timedelta = timedelta()


@dataclass(frozen=True, kw_only=True, slots=True)
class ParallelQuery:
    """Whether views that start while all workers of their database are busy use parallel query."""

    by_default: bool
    by_database: Mapping[str, bool]  # of databases whose runs can be compared

    def is_used(self, database: str) -> bool:
        return self.by_database.get(database, self.by_default)


ALWAYS_PARALLEL = ParallelQuery(by_default=True, by_database={})


def keeps_workers_busy(*, views: int, workers: int, work: timedelta) -> bool:
    """Return whether views with this total of durations fill the workers long enough to compare runs."""
    return workers > 1 and views >= 2 * workers and work >= workers * _MIN_WORK


def uses_parallel_query(trials: ParallelTrials, now: datetime, *, may_try: bool) -> bool:
    """Return whether a run uses parallel query while its workers are busy.

    Without a comparison it does, as the server is set. Each kind is tried again after a month, if that is allowed.
    """
    is_better = not trials.views or trials.total_without > (1 - _MIN_GAIN) * trials.total_with
    other = trials.latest_without if is_better else trials.latest_with
    is_due = trials.latest_with is not None and (other is None or now - other >= _RETRIAL)
    return is_better != (is_due and may_try)

"""Estimate of a run's remaining time from the views' last durations."""

from collections.abc import Iterable, Mapping, Set
from datetime import timedelta
from graphlib import TopologicalSorter

from seeder.domain.manifests import ViewKey
from seeder.domain.plan import PlannedView


def estimate_remaining(
    views: Iterable[PlannedView], *, ended: Set[ViewKey], running: Mapping[ViewKey, timedelta], workers: int
) -> timedelta | None:
    """Return the longest remaining chain, or the work per worker if longer.

    `running` has the elapsed time of each running view. A view without history is expected to take as long as the
    others on average. Returns None if no view has a history.
    """
    by_key = {view.key: view for view in views}
    known = [view.expected_duration for view in by_key.values() if view.expected_duration is not None]
    average = sum(known, timedelta()) / len(known) if known else None
    left: dict[ViewKey, timedelta] = {}
    for view in by_key.values():
        if view.key not in ended:
            expected = average if view.expected_duration is None else view.expected_duration
            if expected is None:
                return None
            left[view.key] = max(expected - running.get(view.key, timedelta()), timedelta())
    paths: dict[ViewKey, timedelta] = {}
    for key in TopologicalSorter(
        {view.key: view.depends_on for view in by_key.values() if view.key in left}
    ).static_order():
        if key in left:
            dependencies = (paths[one] for one in by_key[key].depends_on if one in paths)
            paths[key] = left[key] + max(dependencies, default=timedelta())
    return max(*paths.values(), sum(left.values(), timedelta()) / workers) if left else timedelta()

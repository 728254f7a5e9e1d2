"""Estimate of a run's remaining time from the views' last durations."""

from collections.abc import Iterable, Mapping, Set
from datetime import timedelta

from seeder.domain.manifests import ViewKey
from seeder.domain.plan import PlannedView


def estimate_remaining(
    views: Iterable[PlannedView], *, ended: Set[ViewKey], running: Mapping[ViewKey, timedelta], workers: int
) -> timedelta | None:
    """Return the longest remaining chain, or the work per worker if longer.

    `running` has the elapsed time of each running view. Returns None while a view without a known duration has not
    ended.
    """
    remaining_durations, remaining_paths = list[timedelta](), list[timedelta]()
    for view in views:
        if view.key in ended:
            continue
        if view.expected_duration is None:
            return None
        elapsed = min(running.get(view.key, timedelta()), view.expected_duration)
        remaining_durations.append(view.expected_duration - elapsed)
        remaining_paths.append(view.critical_path - elapsed)
    return (
        max(*remaining_paths, sum(remaining_durations, timedelta()) / workers) if remaining_durations else timedelta()
    )

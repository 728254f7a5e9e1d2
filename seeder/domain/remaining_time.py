"""How much longer a run will take, from how long its views took last time."""

from collections.abc import Iterable, Mapping, Set
from datetime import timedelta

from seeder.domain.manifests import ViewKey
from seeder.domain.plan import PlannedView


def estimate_remaining(
    views: Iterable[PlannedView], *, ended: Set[ViewKey], running: Mapping[ViewKey, timedelta], workers: int
) -> timedelta | None:
    """The longer of the longest chain of views left and all that is left shared evenly by the seats.

    `running` says for how long each running view has been at it. None as long as a view that has not ended is one
    that never succeeded: an invented figure would be worse than none.
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

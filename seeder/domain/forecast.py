"""How much longer a run will take, from how long its views took last time."""

from collections.abc import Iterable, Mapping, Set
from datetime import timedelta

from seeder.domain.manifests import ViewKey
from seeder.domain.plan import PlannedView


def remaining(
    views: Iterable[PlannedView], *, ended: Set[ViewKey], running: Mapping[ViewKey, timedelta], seats: int
) -> timedelta | None:
    """The longer of the longest chain of views left and all that is left shared evenly by the seats.

    `running` says for how long each running view has been at it. None as long as a view that has not ended is one
    that never succeeded: an invented figure would be worse than none.
    """
    left, chains = list[timedelta](), list[timedelta]()
    for view in views:
        if view.key in ended:
            continue
        if view.expected is None:
            return None
        done = min(running.get(view.key, timedelta()), view.expected)
        left.append(view.expected - done)
        chains.append(view.path - done)
    return max(*chains, sum(left, timedelta()) / seats) if left else timedelta()

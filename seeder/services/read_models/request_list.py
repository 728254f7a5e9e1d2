"""Queued requests, limited to the visible agencies. A request is represented by its first visible part."""

from collections.abc import Mapping, Sequence

from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When

from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.models import QueuedRefresh
from seeder.models.queued_refresh import QueuedRefreshQuerySet

# States of parts, one of which each request of the state has: open ones are few, and have an index.
_PART_STATES: Mapping[QueuedPartState, tuple[QueuedPartState, ...]] = {
    QueuedPartState.QUEUED: (QueuedPartState.QUEUED,),
    QueuedPartState.RUNNING: (QueuedPartState.QUEUED, QueuedPartState.RUNNING),
    QueuedPartState.ENDED: (QueuedPartState.ENDED,),
    QueuedPartState.CANCELLED: (QueuedPartState.CANCELLED,),
}


def requests_of(agencies: list[str] | None, states: Sequence[QueuedPartState] = ()) -> QuerySet[QueuedRefresh]:
    """Return the first visible part of each request in one of these states (none: any), latest request first.

    It has only the columns of the order. `parts_of` reads the others, which are large.
    """
    visible = QueuedRefresh.objects.of_agencies(agencies)
    others = visible.filter(request_id=OuterRef("request_id"))
    firsts = visible.filter(~Exists(others.filter(part__lt=OuterRef("part")))).order_by("-requested_at", "-pk")
    firsts = firsts.only("request_id", "requested_at")
    if not states:
        return firsts
    part_states = {state for each in states for state in _PART_STATES[each]}
    if QueuedPartState.ENDED not in part_states:  # nearly all parts have ended
        firsts = firsts.filter(request_id__in=visible.filter(state__in=part_states).values("request_id"))
    return firsts.alias(request_state=_request_state(others)).filter(request_state__in=states)


def parts_of(requests: Sequence[QueuedRefresh], agencies: list[str] | None) -> Sequence[Sequence[QueuedRefresh]]:
    """Return the visible parts of each request."""
    parts: dict[str, list[QueuedRefresh]] = {one.request_id: [] for one in requests}
    for part in QueuedRefresh.objects.of_agencies(agencies).filter(request_id__in=parts).order_by("part"):
        parts[part.request_id].append(part)
    return [*parts.values()]


def _request_state(parts: QueuedRefreshQuerySet) -> Case:
    """The state of a request as `queued_requests.request_state` defines it."""
    is_open = Exists(parts.unfinished())
    return Case(
        When(~is_open & Exists(parts.filter(state=QueuedPartState.CANCELLED)), then=Value(QueuedPartState.CANCELLED)),
        When(~is_open, then=Value(QueuedPartState.ENDED)),
        When(~Exists(parts.exclude(state=QueuedPartState.QUEUED)), then=Value(QueuedPartState.QUEUED)),
        default=Value(QueuedPartState.RUNNING),
    )

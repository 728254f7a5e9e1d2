"""Local times as instants, also when the clocks change."""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta

_SECOND = timedelta(seconds=1)


def exact_instant(local: datetime) -> datetime | None:
    """Return when a local time is, in UTC. None for a time that the clocks skip."""
    instant = local.astimezone(UTC)
    is_shown = instant.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None)
    return instant if is_shown else None


def end_of_gap(local: datetime) -> datetime:
    """Return the first instant after a gap in which a local time is missing, in UTC."""
    # In a gap, fold 1 means the offset after it, and so an instant before it (PEP 495).
    before, behind = (local.replace(fold=fold).astimezone(UTC) for fold in (1, 0))
    offset = before.astimezone(local.tzinfo).utcoffset()
    seconds = range(int((behind - before) / _SECOND) + 1)

    def has_changed(second: int) -> bool:
        return (before + second * _SECOND).astimezone(local.tzinfo).utcoffset() != offset

    return before + bisect_left(seconds, 1, key=has_changed) * _SECOND


def instant_of(local: datetime) -> datetime:
    """Return when a local time is, in UTC.

    A repeated time is its first occurrence, a missing one the end of the gap.
    """
    return exact_instant(local.replace(fold=0)) or end_of_gap(local)

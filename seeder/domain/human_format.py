"""Formats of counts, durations and sizes for people."""

from collections.abc import Iterable
from datetime import datetime, timedelta


def format_count(number: int, noun: str) -> str:
    """Return a count with its noun: `1 view`, `1,204 views`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def format_names(names: Iterable[str], noun: str, *, max_shown: int = 3) -> str:
    """Return the first names in order, and the count of the others: `a, b, c and 2 more views`."""
    ordered = sorted(names)
    more = f" and {format_count(len(ordered) - max_shown, f'more {noun}')}" if len(ordered) > max_shown else ""
    return ", ".join(ordered[:max_shown]) + more


def format_duration(span: timedelta) -> str:
    """Return a duration such as `0.42 s`, `3 min 07 s`, `2 h 05 min`."""
    seconds = span.total_seconds()
    if round(seconds, 2) < 60:
        return f"{seconds:.2f} s"
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def format_size(size_bytes: int) -> str:
    """Return a size such as `16 kB`, with units of 1,024 as in pg_size_pretty()."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"


def time_ago_text(instant: datetime | None, now: datetime) -> str:
    """Return `never`, `12 s ago`, `5 h ago` or `3 days ago`."""
    if instant is None:
        return "never"
    seconds = max(now - instant, timedelta()) // timedelta(seconds=1)
    for limit, unit_seconds, unit in ((60, 1, "s"), (3600, 60, "min"), (2 * 86_400, 3600, "h")):
        if seconds < limit:
            return f"{seconds // unit_seconds} {unit} ago"
    return f"{seconds // 86_400:,} days ago"

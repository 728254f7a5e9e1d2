"""Formats of counts, durations and sizes for people."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce

from seeder.domain.nouns import NOUNS
from seeder.texts import Text


def format_count(number: int, noun: str) -> Text:
    """Return a count with its noun, one of `NOUNS`: `1 view`, `1,204 views`."""
    return Text.counted(*NOUNS[noun], number)


def format_names(names: Iterable[str], noun: str, *, max_shown: int = 3) -> Text:
    """Return the first names in order, and the count of the others: `a, b, c and 2 more views`."""
    ordered = sorted(names)
    shown = Text.joined(ordered[:max_shown])
    if len(ordered) <= max_shown:
        return shown
    return Text("{names} and {others}", names=shown, others=format_count(len(ordered) - max_shown, f"more {noun}"))


def join_with_and(texts: Iterable[str]) -> str:
    """Return one or more texts with `and` between them."""
    return reduce(lambda first, second: Text("{first} and {second}", first=first, second=second), texts)


def format_duration(span: timedelta) -> Text:
    """Return a duration such as `0.42 s`, `3 min 07 s`, `2 h 05 min`."""
    seconds = span.total_seconds()
    if round(seconds, 2) < 60:
        return Text("{seconds:.2f} s", seconds=seconds)
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:
        return Text("{minutes} min {seconds:02d} s", minutes=minutes, seconds=seconds)
    hours, minutes = divmod(minutes, 60)
    return Text("{hours} h {minutes:02d} min", hours=hours, minutes=minutes)


def format_size(size_bytes: int) -> str:
    """Return a size such as `16 kB`, with units of 1,024 as in pg_size_pretty()."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return Text("{terabytes:.1f} TB", terabytes=amount)


def time_ago_text(instant: datetime | None, now: datetime) -> Text:
    """Return `never`, `12 s ago`, `5 h ago` or `3 days ago`."""
    if instant is None:
        return Text("never")
    seconds = max(now - instant, timedelta()) // timedelta(seconds=1)
    if seconds < 60:
        return Text("{number} s ago", number=seconds)
    if seconds < 3600:
        return Text("{number} min ago", number=seconds // 60)
    if seconds < 2 * 86_400:
        return Text("{number} h ago", number=seconds // 3600)
    return Text("{number:,} days ago", number=seconds // 86_400)

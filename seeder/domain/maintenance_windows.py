"""Maintenance windows: local times at which readers of views may wait.

A window is open while the local clock shows a time in it. So an hour that the clock skips is in no window, and an hour
that it shows twice is in a window both times.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from operator import itemgetter
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(
    r"(?:(?P<days>[a-z,-]+) )?(?P<start>[0-9]{2}:[0-9]{2})-(?P<end>[0-9]{2}:[0-9]{2})(?: (?P<zone>[A-Za-z][\w+/-]*))?",
    re.ASCII,
)
_MINUTE = timedelta(minutes=1)
_MAX_LOOK_AHEAD = timedelta(days=8)


@dataclass(frozen=True, kw_only=True, slots=True)
class MaintenanceWindow:
    """A window on some days of the week. It begins on that day, and can end on the next."""

    days: frozenset[int]  # from 0, Monday
    start_minute: int  # of the local day
    end_minute: int  # at most 1440; the next day if it is not after the start
    zone: tzinfo

    def minutes_left(self, now: datetime) -> int | None:
        """Return the minutes that the local clock has to the end, or None if the window is closed."""
        local = now.astimezone(self.zone)
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.start_minute < self.end_minute:
            is_open = day in self.days and self.start_minute <= minute < self.end_minute
            return self.end_minute - minute if is_open else None
        if day in self.days and minute >= self.start_minute:
            return self.end_minute + 1440 - minute
        if (day - 1) % 7 in self.days and minute < self.end_minute:
            return self.end_minute - minute
        return None


def parse_windows(text: str, *, default_zone: str) -> tuple[MaintenanceWindow, ...]:
    """Read windows such as `01:00-05:00; sat,sun 22:00-08:00 Europe/Berlin`.

    Raises `ValueError` with the text of the window that cannot be read.
    """
    return tuple(_parse_window(one.strip(), default_zone) for one in text.split(";") if one.strip())


def _parse_window(text: str, default_zone: str) -> MaintenanceWindow:
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise ValueError(text)
    start, end = _minute_of_day(found["start"], text), _minute_of_day(found["end"], text)
    if start in {end, 1440}:
        raise ValueError(text)
    days = _parse_days(found["days"], text) if found["days"] else range(7)
    return MaintenanceWindow(
        days=frozenset(days), start_minute=start, end_minute=end, zone=_zone(found["zone"] or default_zone, text)
    )


def _minute_of_day(text: str, window: str) -> int:
    if text == "24:00":
        return 1440
    try:
        parsed = time.fromisoformat(text)
    except ValueError:
        raise ValueError(window) from None
    return parsed.hour * 60 + parsed.minute


def _parse_days(text: str, window: str) -> Iterable[int]:
    """Yield the days of a list such as `mon-fri` or `sat,sun`. A range can pass the end of the week."""
    for part in text.split(","):
        first, is_range, last = part.partition("-")
        last = last if is_range else first
        if first not in _DAYS or last not in _DAYS:
            raise ValueError(window)
        begin = _DAYS.index(first)
        length = (_DAYS.index(last) - begin) % 7 + 1
        yield from ((begin + offset) % 7 for offset in range(length))


def _zone(name: str, window: str) -> tzinfo:
    if name == "UTC":  # known without a database of time zones
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(window) from None


def open_until(windows: Sequence[MaintenanceWindow], now: datetime) -> datetime | None:
    """Return the instant at which the open windows end, in the zone of the last one, or None if all are closed.

    Windows that overlap or meet count as one. The answer is at most eight days ahead.
    """
    until: datetime = now
    zone: tzinfo = UTC
    while until - now < _MAX_LOOK_AHEAD:
        ends = [(_end(one, until), one.zone) for one in windows if one.minutes_left(until) is not None]
        if not ends:
            break
        until, zone = max(ends, key=itemgetter(0))
    return None if until == now else until.astimezone(zone)


def _end(window: MaintenanceWindow, now: datetime) -> datetime:
    """Return the end of an open window. If the clock changes before it, every minute until then is checked."""
    begin = now.astimezone(UTC).replace(second=0, microsecond=0)
    end = begin + (window.minutes_left(now) or 0) * _MINUTE
    if end.astimezone(window.zone).utcoffset() == now.astimezone(window.zone).utcoffset():
        return end
    end = begin
    while window.minutes_left(end) is not None:
        end += _MINUTE
    return end

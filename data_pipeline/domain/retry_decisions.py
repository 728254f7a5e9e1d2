"""Whether a failed attempt is repeated, and after how many seconds. Reads no clock and no random number."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from seeder.domain.backoff import doubled

IDEMPOTENCY_HEADER = "idempotency-key"
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})  # RFC 9110, 9.2.2
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Backoff:
    """Waits that double with each attempt, and a random time on top."""

    base_s: float = 0.5
    max_s: float = 30.0
    jitter_s: float = 0.5

    def seconds(self, attempt: int, random: float) -> float:
        """Return the wait after an attempt, counted from 1. `random` is in [0, 1)."""
        bound = doubled(timedelta(seconds=self.base_s), attempt, at_most=timedelta(seconds=self.max_s))
        return bound.total_seconds() + self.jitter_s * random


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadline:
    """The instant at which a call ends, with all of its attempts."""

    total_s: float
    started_at: float  # of the clock
    clock: Callable[[], float]  # monotonic seconds

    @classmethod
    def after(cls, total_s: float, clock: Callable[[], float]) -> "Deadline":
        return cls(total_s=total_s, started_at=clock(), clock=clock)

    def left_s(self) -> float:
        """Return the remaining seconds, below 0 after the end."""
        return self.started_at + self.total_s - self.clock()


def next_wait(  # noqa: PLR0913  # keyword-only facts of one decision
    backoff: Backoff,
    *,
    attempt: int,
    attempts: int,
    random: float,
    retry_after_s: float | None = None,
    left_s: float = math.inf,
) -> float | None:
    """Return the seconds to wait after an attempt, counted from 1. None: it was the last one.

    A server's `Retry-After` replaces the backoff. There is no further attempt if it could not start before the
    deadline.
    """
    if attempt >= attempts:
        return None
    wait = backoff.seconds(attempt, random)
    if retry_after_s is not None:
        wait = retry_after_s + backoff.jitter_s * random
    return wait if wait < left_s else None


def parse_retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds of `Retry-After`, which has seconds or a date. None if it has neither.

    A date is compared with the server's own `Date`, so a wrong clock does not matter.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    if (at := _parse_date(text)) is None:
        return None
    return max((at - (_parse_date(headers.get("date", "")) or now)).total_seconds(), 0.0)


def is_repeatable(method: str, headers: Mapping[str, str]) -> bool:
    """Return whether a repeated request has the effect of one."""
    return method in _REPEATABLE or bool(headers.get(IDEMPOTENCY_HEADER))


def _parse_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)

"""When a notification is sent, and again, and what an answer means."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

Row = TypeVar("Row")

# The schedule that Standard Webhooks recommends after the first attempt: about three days altogether.
RETRY_DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
_MAX_RETRY_AFTER = timedelta(hours=24)
# A claimed notification is due again after this time if its sender was killed. Longer than any attempt.
LEASE = timedelta(minutes=5)

_GONE = 410


class DeliveryState(StrEnum):
    """State of a notification of a channel, as in `seeder_notification.state`."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"  # given up after all retries
    GONE = "gone"  # the receiver does not want any more: nothing is sent to its channel


def state_after(status: int) -> DeliveryState:
    """Return the state after an answer of a receiver. A redirect is not followed, so it is no success."""
    if 200 <= status < 300:
        return DeliveryState.SENT
    return DeliveryState.GONE if status == _GONE else DeliveryState.PENDING


def next_attempt(attempts: int, now: datetime, *, retry_after: timedelta = timedelta()) -> datetime | None:
    """Return when to try again after this number of attempts, or None to give up."""
    if attempts > len(RETRY_DELAYS):
        return None
    return now + max(RETRY_DELAYS[attempts - 1], min(retry_after, _MAX_RETRY_AFTER))


def messages(rows: Sequence[Row], *, digest_above: int) -> Iterator[Sequence[Row]]:
    """Yield the notifications of each message: one each, or all in a digest."""
    if len(rows) > digest_above:
        yield rows
    else:
        yield from ([row] for row in rows)

"""Delays between retries."""

from datetime import timedelta

_FIRST_BOUND, _MAX_BOUND = timedelta(milliseconds=500), timedelta(seconds=30)
_FIRST_RESTART_BOUND = timedelta(seconds=4)  # the least that a server's restart takes


def delay(attempt: int, *, jitter: float, connection_lost: bool = False) -> timedelta:
    """Return the delay after an attempt, counted from 1. `jitter` is a random number in [0, 1).

    Full jitter (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): a random time below a
    bound that doubles, so that workers refused together do not retry together. If the connection was lost, the first
    delay is as short, because maybe only one backend ended. Later delays use equal jitter (between half of the bound
    and the bound) with longer bounds, so that three retries outlast a restart.
    """
    if not connection_lost or attempt == 1:
        return doubled(_FIRST_BOUND, attempt) * jitter
    bound = doubled(_FIRST_RESTART_BOUND, attempt)
    return bound / 2 + bound / 2 * jitter


def doubled(first: timedelta, attempt: int, *, at_most: timedelta = _MAX_BOUND) -> timedelta:
    """Return a time that doubles with each attempt, counted from 1."""
    factor: int = 2 ** min(attempt - 1, 16)
    return min(first * factor, at_most)

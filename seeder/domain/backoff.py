"""How long to wait before something is tried again."""

from datetime import timedelta

_FIRST_BOUND, _MAX_BOUND = timedelta(milliseconds=500), timedelta(seconds=30)
_FIRST_RESTART_BOUND = timedelta(seconds=4)  # what a server needs at least to come back, when it was not back at once


def delay(attempt: int, *, jitter: float, connection_lost: bool = False) -> timedelta:
    """The wait after the attempt of this number, from 1 on; `chance` is a random number from 0 up to 1.

    Full jitter (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): anything up to a bound
    that doubles, so that those who were refused together do not come back together. When the server is `gone`, the
    first wait is as short, as one backend alone may have ended; the others have a longer bound and a lower one, half
    of it (equal jitter, there), so that three retries outlast a restart.
    """
    if not connection_lost or attempt == 1:
        return _bound(_FIRST_BOUND, attempt) * jitter
    bound = _bound(_FIRST_RESTART_BOUND, attempt)
    return bound / 2 + bound / 2 * jitter


def _bound(first: timedelta, attempt: int) -> timedelta:
    doubled: int = 2 ** min(attempt - 1, 16)
    return min(first * doubled, _MAX_BOUND)

"""How long to wait before something is tried again."""

from datetime import timedelta

_FIRST, _LONGEST = timedelta(milliseconds=500), timedelta(seconds=30)


def delay(attempt: int, *, chance: float) -> timedelta:
    """The wait after the attempt of this number, from 1 on; `chance` is a random number from 0 up to 1.

    Full jitter (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): anything up to a bound
    that doubles, so that those who were refused together do not come back together.
    """
    doubled: int = 2 ** min(attempt - 1, 16)
    return min(_FIRST * doubled, _LONGEST) * chance

"""The lines for the person in front of the terminal."""

import sys
from contextlib import suppress


def announce(message: str) -> None:
    """On stderr, which a daemon may have closed."""
    with suppress(OSError, ValueError, AttributeError):
        print(message, file=sys.stderr, flush=True)  # noqa: T201  # before any logging is set up

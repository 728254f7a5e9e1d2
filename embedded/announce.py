"""Messages on the terminal."""

import sys
from contextlib import suppress


def announce(message: str) -> None:
    """Print to stderr, which a daemon may have closed."""
    with suppress(OSError, ValueError, AttributeError):
        print(message, file=sys.stderr, flush=True)  # noqa: T201  # logging is not configured yet

"""Time limits of reads, also while bytes trickle."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

_LOOKS = 8  # in the time of a limit
_EXPIRED_S = 0.001  # a timeout of a socket that ends its read


class ReadLimit:
    """Ends reads of the bodies of one stream that take too long.

    The timeout of a socket starts anew with each byte, and applies to the next one if it is changed meanwhile. A thread
    changes it.
    """

    def __init__(self, seconds: float) -> None:
        """Start the thread, which ends with `close`."""
        self.is_expired = False  # of the present or last read
        self._seconds, self._until = seconds, 0.0
        self._body: Any = None  # that is being read
        self._is_closed = Event()
        Thread(target=self._watch, daemon=True).start()

    def close(self) -> None:
        """End the thread."""
        self._is_closed.set()

    @contextmanager
    def applied(self, body: Any) -> Iterator[None]:
        """Limit a read in the block. It then fails as after a pause of the server."""
        self.is_expired, self._until = False, time.monotonic() + self._seconds
        self._body = body
        try:
            yield
        finally:
            self._body = None

    def _watch(self) -> None:
        while not self._is_closed.wait(self._seconds / _LOOKS):
            body = self._body
            if body is not None and time.monotonic() > self._until:
                self.is_expired = True
                with suppress(AttributeError):  # the body has just ended
                    body.set_socket_timeout(_EXPIRED_S)

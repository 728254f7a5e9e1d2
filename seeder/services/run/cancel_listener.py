"""Stops a run when its cancellation was requested. A row is the message: nothing can lose it."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from time import monotonic

from django.db import Error

from seeder.services.run.listeners import RunListener
from seeder.services.stop_signal import StopSignal

_CHECK_INTERVAL = timedelta(seconds=1)


class CancelListener(RunListener):
    """Sets the stop signal, as SIGTERM does, once a requester is named."""

    def __init__(
        self, requester: Callable[[], str | None], stop: StopSignal, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._requester, self._stop = requester, stop
        self._clock, self._checked_at = clock, clock()

    def on_tick(self) -> None:
        """Read the row once a second. Ignores database errors, because the next check tries again."""
        if self._clock() - self._checked_at < _CHECK_INTERVAL.total_seconds():
            return
        self._checked_at = self._clock()
        with suppress(Error):
            if requester := self._requester():
                self._stop.request(f"cancelled by {requester}")

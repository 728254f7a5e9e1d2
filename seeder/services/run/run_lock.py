"""A run shows that it lives by a lock, which PostgreSQL takes back however the run ends.

No clock is asked: a run that takes all night is as alive as one that began a moment ago, and one that was killed is
dead at once. The lock is a session's, on the connection of the thread that decides what runs.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import Self

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.postgres import advisory_locks, sessions
from seeder.services.run.listeners import RunListener

# Often enough that nobody takes the connection for forgotten, and that a lost one is replaced soon.
_KEEPALIVE_INTERVAL = timedelta(seconds=5)


class RunLock(RunListener):
    """The lock of one run, held inside a `with`."""

    def __init__(self, run_id: str, clock: Callable[[], float] = monotonic) -> None:
        self.run_id = run_id
        self._clock = clock
        self._last = clock()

    def __enter__(self) -> Self:
        self.locked_at = advisory_locks.lock_run(DEFAULT_DB_ALIAS, self.run_id)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            while advisory_locks.unlock_run(DEFAULT_DB_ALIAS, self.run_id):
                pass  # a tick that could not see the lock has taken it twice
        except Error:
            sessions.close_thread_connections()  # where the connection is gone, so is the lock

    def ensure_held(self) -> None:
        """Hold the lock for certain: what was done meanwhile may have lost its connection and taken another."""
        if not advisory_locks.holds_run_lock(DEFAULT_DB_ALIAS, self.run_id):
            advisory_locks.lock_run(DEFAULT_DB_ALIAS, self.run_id)

    def on_tick(self) -> None:
        """To be called often. Takes the lock again where its connection was lost; should somebody have taken the run
        for dead in between, its next refresh finds its rows closed and is undone."""
        if self._clock() - self._last < _KEEPALIVE_INTERVAL.total_seconds():
            return
        self._last = self._clock()
        with suppress(Error):  # while the server does not answer, nobody can take the run for dead either
            if not self._is_held():
                advisory_locks.lock_run(DEFAULT_DB_ALIAS, self.run_id)

    def _is_held(self) -> bool:
        try:
            return advisory_locks.holds_run_lock(DEFAULT_DB_ALIAS, self.run_id)
        except Error:
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            return False

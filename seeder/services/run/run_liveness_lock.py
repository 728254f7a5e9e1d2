"""The lock that proves that a run is alive. PostgreSQL releases it however the run ends.

It is a session lock on the connection of the scheduler's thread. So no clock decides: a run that takes all night is
alive, and one that was killed is dead at once.
"""

import secrets
from collections.abc import Callable, Collection, Set
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Self

from django.db import DEFAULT_DB_ALIAS, Error, connections

from seeder.domain import lock_keys
from seeder.postgres import advisory_locks, sessions
from seeder.services.run.listeners import RunListener

_KEEPALIVE_INTERVAL = timedelta(seconds=5)  # so that no proxy closes an idle connection, and a lost one is replaced


def new_run_id() -> str:
    """Return a unique id that sorts by start time. The order is for people only."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def living_runs(run_ids: Collection[str]) -> Set[str]:
    """Return those of these runs whose lock is held. Locks nothing, and takes at most one statement."""
    if not run_ids:
        return frozenset()
    held = advisory_locks.held_keys(DEFAULT_DB_ALIAS, map(lock_keys.of_run, run_ids))
    return {run_id for run_id in run_ids if lock_keys.of_run(run_id) in held}


class RunLock(RunListener):
    """The lock of one run, held inside a `with`."""

    def __init__(self, run_id: str, clock: Callable[[], float] = monotonic) -> None:
        self.run_id, self._key = run_id, lock_keys.of_run(run_id)
        self._clock, self._checked_at = clock, clock()

    def __enter__(self) -> Self:
        self.locked_at = advisory_locks.lock_for_session(DEFAULT_DB_ALIAS, self._key)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            advisory_locks.unlock(DEFAULT_DB_ALIAS, self._key)
        except Error:
            connections.close_all()  # the lock ends with the connection

    def ensure_held(self) -> None:
        """Take the lock again if its connection was lost."""
        advisory_locks.lock_for_session(DEFAULT_DB_ALIAS, self._key)

    def on_tick(self) -> None:
        """Ensure every few seconds that the lock is held.

        If another run has closed the rows of this one in between, the next refresh is rolled back.
        """
        if self._clock() - self._checked_at < _KEEPALIVE_INTERVAL.total_seconds():
            return
        self._checked_at = self._clock()
        with suppress(Error):  # while the server does not answer, no other run can find this one dead
            try:
                self.ensure_held()
            except Error:
                sessions.discard_if_broken(DEFAULT_DB_ALIAS)
                self.ensure_held()

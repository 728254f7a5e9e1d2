"""Tries again what may well succeed the next time."""

import random
from collections.abc import Callable
from itertools import count
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain import backoff
from seeder.postgres import sessions
from seeder.postgres.sqlstates import is_connection_lost, is_transient
from seeder.services.stop_signal import StopSignal

Done = TypeVar("Done")


def retry_transient(
    operation: Callable[[int], Done], *, retries: int, stop: StopSignal, database: str = DEFAULT_DB_ALIAS
) -> Done:
    """What `act` returns; it is called with the number of the attempt, from 1 on.

    An error of the database that has nothing to do with the statement itself (a lock not granted, a deadlock, a lost
    connection, a server that starts or is full) is followed by up to `retries` more attempts, with growing waits in
    between that a stop cuts short. Any other error, and the last one, is raised.
    """
    for attempt in count(1):
        try:
            return operation(attempt)
        except Error as error:
            sessions.discard_if_broken(database)
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            if attempt > retries or not is_transient(error) or stop.requested:
                raise
            gone = is_connection_lost(error)
        stop.wait(backoff.delay(attempt, jitter=random.random(), connection_lost=gone))  # noqa: S311  # spreads load
    raise AssertionError  # pragma: no cover  # count() does not end

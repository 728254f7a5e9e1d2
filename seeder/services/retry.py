"""Retries transient database errors with backoff."""

import random
from collections.abc import Callable
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain import backoff
from seeder.postgres import sessions
from seeder.postgres.sqlstates import is_connection_lost, is_transient
from seeder.services.stop_signal import StopSignal

Result = TypeVar("Result")


def retry_transient(
    operation: Callable[[int], Result], *, retries: int, stop: StopSignal, database: str = DEFAULT_DB_ALIAS
) -> Result:
    """Call the operation with the attempt's number. Return its result.

    After a transient error (lock not granted, deadlock, lost connection, server starting or full) it is called again,
    up to `retries` times, with growing waits that a stop ends. Any other error, and the last one, is raised.
    """
    attempt = 1
    while True:
        try:
            return operation(attempt)
        except Error as error:
            sessions.discard_if_broken(database)
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            if attempt > retries or not is_transient(error) or stop.requested:
                raise
            gone = is_connection_lost(error)
        stop.wait(backoff.delay(attempt, jitter=random.random(), connection_lost=gone))  # noqa: S311  # spreads load
        attempt += 1

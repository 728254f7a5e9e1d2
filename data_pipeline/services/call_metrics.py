"""Saves the counters of calls and retries.

The metrics read them from the database.
"""

import asyncio
import os

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from data_pipeline.http.measurements import CALLS
from data_pipeline.services.measurement_events import save_measurement


def save_calls(database: str = DEFAULT_DB_ALIAS) -> None:
    """Save what has been counted, after an open transaction. A failure is only logged.

    In an event loop Django allows no database work, so the counters wait for the next call of this.
    """
    if _forbids_database_work():
        return
    if connections[database].in_atomic_block:
        transaction.on_commit(lambda: _save(database), using=database)
    else:
        _save(database)


def save_calls_in_thread() -> None:
    """Save as `save_calls`, in a thread of its own."""
    try:
        save_calls()
    finally:
        connections.close_all()  # of this thread


def _save(database: str) -> None:
    for source, counters in CALLS.drain().items():
        save_measurement(source, {"counters": counters}, database)


def _forbids_database_work() -> bool:
    """Return whether this is an event loop. Django's own variable allows its work there, such as in a notebook."""
    if os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE"):
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True

"""Limits of the transaction that refreshes a view."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta

from seeder.conf import Settings
from seeder.domain import lock_keys
from seeder.domain.outcomes import StartContext
from seeder.domain.view_names import ViewName

_MAX_LOCK_WAIT_MS = 2**31 - 1  # milliseconds: the most that PostgreSQL takes


def of_transaction(settings: Settings, context: StartContext, *, run_id: str) -> Mapping[str, object]:
    """Return the parameters of the statement `apply_limits`."""
    return {
        "lock_timeout": settings.lock_timeout_ms,
        "statement_timeout": settings.statement_timeout_ms,
        "parallel_workers": None if context.allows_parallel else "0",
        "application_name": f"seeder {run_id}",
    }


def of_view_lock(view: ViewName, settings: Settings, waited: timedelta) -> Mapping[str, object]:
    """Return the parameters of statements that lock and look up a view, after a wait for its lock."""
    return {**asdict(view), "key": lock_keys.of_view(view), "lock_wait": lock_wait_ms(settings, waited)}


def lock_wait_ms(settings: Settings, waited: timedelta) -> int:
    """Return the milliseconds left to wait for another run that refreshes this view.

    It is at least the lock timeout. A shorter wait would report a view as failed while the other run refreshes it. It
    would also leave the view old if that refresh is rolled back.
    """
    left = settings.max_wait_seconds * 1000 - int(waited.total_seconds() * 1000)
    return min(max(left, settings.lock_timeout_ms), _MAX_LOCK_WAIT_MS)

"""A run's work as plain callables, of which a test replaces what it is about."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from seeder.domain.admission_decisions import Admit
from seeder.domain.outcomes import Failure, Outcome, RefreshResult, StartContext
from seeder.domain.plan import PlannedView
from seeder.services.lanes import Pace, Work

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REFRESHED = RefreshResult(outcome=Outcome.REFRESHED, started_at=NOW, finished_at=NOW)


def failed_result(reason: str = "division_by_zero") -> RefreshResult:
    failure = Failure(reason=reason, message="no")
    return RefreshResult(outcome=Outcome.FAILED, started_at=NOW, finished_at=NOW, failure=failure)


FAILED_RESULT = failed_result()


def run_callbacks(
    refresh: Callable[[PlannedView, StartContext], RefreshResult], **overrides: Callable[..., Any]
) -> Work:
    defaults: dict[str, Callable[..., Any]] = {
        "refuse": lambda _, hold, __: failed_result(hold.reason),
        "admit": lambda _: Admit(),
        "count": lambda *_: None,
        "cancel": lambda: None,
        "beat": lambda: None,
        "leave": lambda: None,
        "emit": lambda _: None,
    }
    return Work(refresh=refresh, **(defaults | overrides))


def start_policy(*, workers: int = 2, batch: int = 8, delay: float = 0, max_wait: float = 60) -> Pace:
    return Pace(seats=workers, batch=batch, delay=timedelta(seconds=delay), patience=timedelta(seconds=max_wait))

"""A run's work as plain callables, of which a test replaces what it is about."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from seeder.domain.admission_decisions import Admit
from seeder.domain.outcomes import Failure, Outcome, RefreshResult, StartContext
from seeder.domain.plan import PlannedView
from seeder.services.lanes import Pace, Work

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DONE = RefreshResult(outcome=Outcome.REFRESHED, started_at=NOW, finished_at=NOW)


def failed(reason: str = "division_by_zero") -> RefreshResult:
    failure = Failure(reason=reason, message="no")
    return RefreshResult(outcome=Outcome.FAILED, started_at=NOW, finished_at=NOW, failure=failure)


FAILED = failed()


def working(refresh: Callable[[PlannedView, StartContext], RefreshResult], **others: Callable[..., Any]) -> Work:
    plain: dict[str, Callable[..., Any]] = {
        "refuse": lambda _, hold, __: failed(hold.reason),
        "admit": lambda _: Admit(),
        "count": lambda *_: None,
        "cancel": lambda: None,
        "beat": lambda: None,
        "leave": lambda: None,
        "emit": lambda _: None,
    }
    return Work(refresh=refresh, **(plain | others))


def pace(*, seats: int = 2, batch: int = 8, delay: float = 0, patience: float = 60) -> Pace:
    return Pace(seats=seats, batch=batch, delay=timedelta(seconds=delay), patience=timedelta(seconds=patience))

"""Callbacks of a run that do nothing, unless a test replaces them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from seeder.domain.admission_types import Admit
from seeder.domain.outcomes import Failure, Outcome, RefreshResult, StartContext
from seeder.domain.plan import PlannedView
from seeder.services.run.database_scheduler import RunCallbacks, StartPolicy
from seeder.services.run.worker_pool import Start

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REFRESHED = RefreshResult(outcome=Outcome.REFRESHED, started_at=NOW, finished_at=NOW)


def failed_result(reason: str = "division_by_zero") -> RefreshResult:
    failure = Failure(reason=reason, message="no")
    return RefreshResult(outcome=Outcome.FAILED, started_at=NOW, finished_at=NOW, failure=failure)


FAILED_RESULT = failed_result()


def run_callbacks(
    refresh: Callable[[PlannedView, StartContext], RefreshResult], **overrides: Callable[..., Any]
) -> RunCallbacks:
    """Return callbacks that refresh each view of a start."""

    def refresh_all(start: Start) -> Mapping[PlannedView, RefreshResult]:
        return {view: refresh(view, context) for view, context in start.items()}

    defaults: dict[str, Callable[..., Any]] = {
        "give_up": lambda _, hold, __: failed_result(hold.reason),
        "admit": lambda _: Admit.BATCH,
        "record_result": lambda *_: None,
        "cancel": lambda: None,
        "on_tick": lambda: None,
        "close_worker": lambda: None,
        "on_event": lambda _: None,
    }
    return RunCallbacks(refresh=refresh_all, **(defaults | overrides))


def start_policy(*, workers: int = 2, batch: int = 8, delay: float = 0, max_wait: float = 60) -> StartPolicy:
    return StartPolicy(
        workers=workers,
        max_batch_size=batch,
        batch_delay=timedelta(seconds=delay),
        max_hold=timedelta(seconds=max_wait),
    )

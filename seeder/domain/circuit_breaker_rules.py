"""Circuit breaker: several failed views in a row stop all starts until a trial succeeds.

The pattern is Michael Nygard's ("Release It!", 2007). The state is a value; each method returns the next state. All
times are by the database's clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from seeder.domain.human_format import format_count
from seeder.texts import Text

_MAX_CAUSES_SHOWN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class CircuitBreakerState:
    """State of a breaker: closed, or open since a time."""

    failures: int = 0  # in a row; several of one view count once
    opened_at: datetime | None = None  # None: closed
    last_trial_at: datetime | None = None  # when the latest trial started, or when it failed
    causes: Mapping[str, str] = field(default_factory=dict)  # failed views with the latest reason of each

    def next_trial_at(self, reset_after: timedelta) -> datetime | None:
        """Return when the next trial may start, or None if closed."""
        return None if self.opened_at is None else (self.last_trial_at or self.opened_at) + reset_after

    def start_trial(self, now: datetime, *, reset_after: timedelta) -> "CircuitBreakerState | None":
        """Record the start of a trial. Return None if none is due."""
        due = self.next_trial_at(reset_after)
        return replace(self, last_trial_at=now) if due is not None and now >= due else None

    def failed(
        self, now: datetime, *, view: str, reason: str, max_failures: int, is_trial: bool
    ) -> "CircuitBreakerState":
        """Count a failed view. Open the breaker at `max_failures` in a row.

        A view that fails again before any success does not count again. Refreshes that were already running when it
        opened do not postpone the next trial.
        """
        failures = self.failures + (view not in self.causes)
        opened = self.opened_at or (now if failures >= max_failures else None)
        trial_at = now if is_trial and self.opened_at else self.last_trial_at
        causes = {**self.causes, view: reason}
        return CircuitBreakerState(failures=failures, opened_at=opened, last_trial_at=trial_at, causes=causes)

    def cause_text(self) -> Text:
        """Name failed views with their reasons, or nothing if they are unknown."""
        shown = [f"{view} ({reason})" for view, reason in self.causes.items()][-_MAX_CAUSES_SHOWN:]
        others = len(self.causes) - len(shown)
        return Text.joined([*([format_count(others, "other view")] if others else []), *shown])

    def succeeded(self) -> "CircuitBreakerState":
        """Close the breaker after any successful refresh, trial or not."""
        return CircuitBreakerState()

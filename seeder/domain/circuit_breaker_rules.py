"""Circuit breaker: several failures in a row stop all starts until a trial succeeds.

The pattern is Michael Nygard's ("Release It!", 2007). The state is a value; each method returns the next state. All
times are by the database's clock.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class CircuitBreakerState:
    """State of a breaker: closed, or open since a time."""

    failures: int = 0  # in a row
    opened_at: datetime | None = None  # None: closed
    last_trial_at: datetime | None = None  # when the latest trial started, or when it failed

    def next_trial_at(self, reset_after: timedelta) -> datetime | None:
        """Return when the next trial may start, or None if closed."""
        return None if self.opened_at is None else (self.last_trial_at or self.opened_at) + reset_after

    def start_trial(self, now: datetime, *, reset_after: timedelta) -> "CircuitBreakerState | None":
        """Record the start of a trial. Return None if none is due."""
        due = self.next_trial_at(reset_after)
        return replace(self, last_trial_at=now) if due is not None and now >= due else None

    def failed(self, now: datetime, *, max_failures: int, is_trial: bool) -> "CircuitBreakerState":
        """Count a failed refresh. Open the breaker at `max_failures` in a row.

        Refreshes that were already running when it opened do not postpone the next trial.
        """
        failures = self.failures + 1
        opened = self.opened_at or (now if failures >= max_failures else None)
        trial_at = now if is_trial and self.opened_at else self.last_trial_at
        return CircuitBreakerState(failures=failures, opened_at=opened, last_trial_at=trial_at)

    def succeeded(self) -> "CircuitBreakerState":
        """Close the breaker after any successful refresh, trial or not."""
        return CircuitBreakerState()

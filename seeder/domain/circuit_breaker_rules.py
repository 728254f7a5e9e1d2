"""The circuit breaker: after so many failures in a row nothing new starts, until a trial has succeeded.

The pattern is Michael Nygard's ("Release It!", 2007). A breaker is a value; whoever keeps it keeps the result of each
of these rules instead. All instants are by the database's clock.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class CircuitBreakerState:
    """Closed, or open since an instant."""

    failures: int = 0  # in a row
    opened_at: datetime | None = None  # None: closed
    last_trial_at: datetime | None = None  # when the latest trial began, or ended in a failure

    def next_trial_at(self, reset_after: timedelta) -> datetime | None:
        """From when on one trial may be let through; None while it is closed."""
        return None if self.opened_at is None else (self.last_trial_at or self.opened_at) + reset_after

    def trial_started(self, now: datetime) -> "CircuitBreakerState":
        """A trial begins."""
        return replace(self, last_trial_at=now)

    def failed(self, now: datetime, *, max_failures: int, is_trial: bool) -> "CircuitBreakerState":
        """A refresh that counts has failed; `most` in a row open it. What was already running when it opened does not
        put off the next trial."""
        failures = self.failures + 1
        opened = self.opened_at or (now if failures >= max_failures else None)
        return CircuitBreakerState(
            failures=failures,
            opened_at=opened,
            last_trial_at=now if is_trial and self.opened_at else self.last_trial_at,
        )

    def succeeded(self) -> "CircuitBreakerState":
        """A refresh has succeeded, be it a trial or one that was already running: the server is well."""
        return CircuitBreakerState()

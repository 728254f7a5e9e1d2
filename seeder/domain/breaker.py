"""The circuit breaker: after so many failures in a row nothing new starts, until a trial has succeeded.

The pattern is Michael Nygard's ("Release It!", 2007). A breaker is a value; whoever keeps it keeps the result of each
of these rules instead. All instants are by the database's clock.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Breaker:
    """Closed, or open since an instant."""

    failures: int = 0  # in a row
    opened: datetime | None = None  # None: closed
    tried: datetime | None = None  # when the latest trial began, or ended in a failure

    def next_trial(self, reset: timedelta) -> datetime | None:
        """From when on one trial may be let through; None while it is closed."""
        return None if self.opened is None else (self.tried or self.opened) + reset

    def trying(self, now: datetime) -> "Breaker":
        """A trial begins."""
        return replace(self, tried=now)

    def failed(self, now: datetime, *, most: int, trial: bool) -> "Breaker":
        """A refresh that counts has failed; `most` in a row open it. What was already running when it opened does not
        put off the next trial."""
        failures = self.failures + 1
        opened = self.opened or (now if failures >= most else None)
        return Breaker(failures=failures, opened=opened, tried=now if trial and self.opened else self.tried)

    def succeeded(self) -> "Breaker":
        """A refresh has succeeded, be it a trial or one that was already running: the server is well."""
        return Breaker()

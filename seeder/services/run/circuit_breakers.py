"""The circuit breakers of the databases: kept in a table where there is one, so that all processes share them."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import Self

from django.db import DEFAULT_DB_ALIAS, Error
from django.db.models.functions import Now

from seeder.conf import Settings
from seeder.domain.circuit_breaker_rules import CircuitBreakerState
from seeder.models import CircuitBreaker
from seeder.postgres import sessions, transactions
from seeder.postgres.contract import OptionalTables

# How long the state may be old that others may have changed. Whoever acts on it asks anew.
_CACHE_DURATION = timedelta(seconds=1)


class CircuitBreakers:
    """Used by one thread, the one that decides what starts. An error of the server is nobody's failure here: it is
    the refreshes that will tell."""

    def __init__(
        self, *, max_failures: int, reset_after: timedelta, shared: bool, clock: Callable[[], float] = monotonic
    ) -> None:
        self._most, self._reset, self._clock = max_failures, reset_after, clock
        self._shared = shared  # whether there is a table in which all processes keep them
        self._seen: dict[str, tuple[CircuitBreakerState, float]] = {}

    @classmethod
    def from_settings(cls, settings: Settings, tables: OptionalTables) -> Self:
        reset = timedelta(seconds=settings.reset_seconds)
        return cls(
            max_failures=settings.max_failures, reset_after=reset, shared=tables.is_usable("seeder_circuit_breaker")
        )

    def state(self, database: str) -> CircuitBreakerState:
        """The breaker of a database, not older than a second."""
        breaker, seen = self._seen.get(database, (CircuitBreakerState(), None))
        if self._shared and (seen is None or self._clock() - seen > _CACHE_DURATION.total_seconds()):
            with suppress(Error):
                sessions.discard_if_broken(DEFAULT_DB_ALIAS)
                breaker = next(map(_state_from_row, CircuitBreaker.objects.filter(pk=database)), CircuitBreakerState())
            self._seen[database] = breaker, self._clock()
        return breaker

    def claim_trial(self, database: str) -> bool:
        """Whether this process may try one view now; of several that ask, one."""
        return self._change(database, self._claim_trial)

    def failed(self, database: str, *, trial: bool) -> None:
        """A refresh that counts has failed."""
        self._change(database, lambda breaker, now: breaker.failed(now, max_failures=self._most, is_trial=trial))

    def succeeded(self, database: str) -> None:
        """A refresh has succeeded."""
        if self.state(database).failures:
            self._change(database, lambda breaker, _: breaker.succeeded())

    def _claim_trial(self, breaker: CircuitBreakerState, now: datetime) -> CircuitBreakerState | None:
        due = breaker.next_trial_at(self._reset)
        return breaker.trial_started(now) if due is not None and now >= due else None

    def _change(
        self, database: str, rule: Callable[[CircuitBreakerState, datetime], CircuitBreakerState | None]
    ) -> bool:
        """Replace the breaker by what the rule makes of it; whether it made anything."""
        with suppress(Error):
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            if not self._shared:
                changed = rule(self.state(database), sessions.server_time(DEFAULT_DB_ALIAS))
            else:
                with transactions.durable_transaction(DEFAULT_DB_ALIAS):
                    CircuitBreaker.objects.bulk_create([CircuitBreaker(pk=database)], ignore_conflicts=True)
                    kept = CircuitBreaker.objects.select_for_update().filter(pk=database)
                    changed = rule(_state_from_row(kept.get()), sessions.server_time(DEFAULT_DB_ALIAS))
                    if changed:
                        kept.update(
                            failures=changed.failures,
                            opened_at=changed.opened_at,
                            last_trial_at=changed.last_trial_at,
                            updated_at=Now(),
                        )
            if changed:
                self._seen[database] = changed, self._clock()
                return True
            if self._shared:  # somebody else has changed it
                self._seen.pop(database, None)
        return False


def _state_from_row(row: CircuitBreaker) -> CircuitBreakerState:
    return CircuitBreakerState(failures=row.failures, opened_at=row.opened_at, last_trial_at=row.last_trial_at)

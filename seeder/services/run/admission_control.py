"""Whether more views may start in a database: asked before each batch by the thread that decides."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DEFAULT_DB_ALIAS, Error
from django.utils import timezone

from seeder.conf import Settings
from seeder.domain.admission_decisions import AdmissionDecision, Admit, Hold, HoldReason, TrialOnly
from seeder.domain.circuit_breaker_rules import CircuitBreakerState
from seeder.domain.outcomes import RefreshResult, StartContext
from seeder.domain.plan import PlannedView
from seeder.postgres import server_activity, sessions
from seeder.services.run.circuit_breakers import CircuitBreakers


@dataclass(frozen=True, kw_only=True)
class AdmissionControl:
    """The circuit breaker and the throttle of every database."""

    settings: Settings
    circuit_breakers: CircuitBreakers

    def admit(self, database: str) -> AdmissionDecision:
        """Never raises an error of the server: a database that cannot be asked is left to the refreshes, which can say
        what is wrong with it."""
        with suppress(Error):
            return self.breaker_hold(database) or self._throttle_hold(database) or self._try_trial(database)
        sessions.discard_if_broken(database)
        return Admit()

    def record_result(self, view: PlannedView, result: RefreshResult, context: StartContext) -> None:
        """How a view ended, for its database's breaker. A failure that does not count changes nothing."""
        database, failure = view.key.database, result.failure
        if failure is None:
            self.circuit_breakers.succeeded(database)
        elif self.settings.breaker_counts == "all" or failure.is_server_fault:
            self.circuit_breakers.failed(database, trial=context.is_trial)

    def breaker_hold(self, database: str) -> Hold | None:
        """What an open circuit breaker holds back until its next trial. Raises an error of the server."""
        breaker = self.circuit_breakers.state(database)
        due = breaker.next_trial_at(self._reset_interval)
        if due is None or sessions.server_time(DEFAULT_DB_ALIAS) >= due:
            return None
        return Hold(reason=HoldReason.CIRCUIT_OPEN, message=_open_message(database, breaker, due))

    def _throttle_hold(self, database: str) -> Hold | None:
        most = self.settings.max_db_active_queries
        if not most or (busy := server_activity.active_query_count(database)) < most:
            return None
        are = "query is" if busy == 1 else "queries are"
        message = f"{busy} {are} active on the server and SEEDER_MAX_DB_ACTIVE_QUERIES is {most}"
        return Hold(reason=HoldReason.SERVER_BUSY, message=message)

    def _try_trial(self, database: str) -> AdmissionDecision:
        if self.circuit_breakers.state(database).opened_at is None:
            return Admit()
        if self.circuit_breakers.claim_trial(database):
            return TrialOnly()
        return self.breaker_hold(database) or Admit()

    @property
    def _reset_interval(self) -> timedelta:
        return timedelta(seconds=self.settings.reset_seconds)


def _open_message(database: str, breaker: CircuitBreakerState, trial_due_at: datetime) -> str:
    since = timezone.localtime(breaker.opened_at)
    return (
        f"the circuit breaker of {database} is open since {since:%Y-%m-%d %H:%M:%S %Z}"
        f" after {breaker.failures} failures in a row; one view is tried at {timezone.localtime(trial_due_at):%H:%M:%S}"
    )

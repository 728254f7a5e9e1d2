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
from seeder.services.breakers import Breakers


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The circuit breaker and the throttle of every database."""

    settings: Settings
    breakers: Breakers

    def admit(self, database: str) -> AdmissionDecision:
        """Never raises an error of the server: a database that cannot be asked is left to the refreshes, which can say
        what is wrong with it."""
        with suppress(Error):
            return self.breaker(database) or self._throttle(database) or self._trial(database)
        sessions.discard_if_broken(database)
        return Admit()

    def count(self, view: PlannedView, result: RefreshResult, turn: StartContext) -> None:
        """How a view ended, for its database's breaker. A failure that does not count changes nothing."""
        database, failure = view.key.database, result.failure
        if failure is None:
            self.breakers.succeeded(database)
        elif self.settings.breaker_counts == "all" or failure.is_server_fault:
            self.breakers.failed(database, trial=turn.is_trial)

    def breaker(self, database: str) -> Hold | None:
        """What an open circuit breaker holds back until its next trial. Raises an error of the server."""
        breaker = self.breakers.state(database)
        due = breaker.next_trial_at(self._reset)
        if due is None or sessions.server_time(DEFAULT_DB_ALIAS) >= due:
            return None
        return Hold(reason=HoldReason.CIRCUIT_OPEN, message=_open(database, breaker, due))

    def _throttle(self, database: str) -> Hold | None:
        most = self.settings.max_db_active_queries
        if not most or (busy := server_activity.active_query_count(database)) < most:
            return None
        are = "query is" if busy == 1 else "queries are"
        message = f"{busy} {are} active on the server and SEEDER_MAX_DB_ACTIVE_QUERIES is {most}"
        return Hold(reason=HoldReason.SERVER_BUSY, message=message)

    def _trial(self, database: str) -> AdmissionDecision:
        if self.breakers.state(database).opened_at is None:
            return Admit()
        if self.breakers.claim_trial(database):
            return TrialOnly()
        return self.breaker(database) or Admit()

    @property
    def _reset(self) -> timedelta:
        return timedelta(seconds=self.settings.reset_seconds)


def _open(database: str, breaker: CircuitBreakerState, due: datetime) -> str:
    since = timezone.localtime(breaker.opened_at)
    return (
        f"the circuit breaker of {database} is open since {since:%Y-%m-%d %H:%M:%S %Z}"
        f" after {breaker.failures} failures in a row; one view is tried at {timezone.localtime(due):%H:%M:%S}"
    )

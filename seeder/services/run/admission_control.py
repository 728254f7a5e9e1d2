"""Decides before each batch if views may start in a database."""

from contextlib import suppress

from django.db import Error

from seeder.conf import Settings
from seeder.domain.admission_types import AdmissionDecision, Admit, Hold, HoldReason
from seeder.domain.outcomes import RefreshResult, StartContext
from seeder.domain.plan import PlannedView
from seeder.postgres import server_activity, sessions
from seeder.postgres.contract import OptionalTables
from seeder.services.run.circuit_breakers import CircuitBreakers


class AdmissionControl:
    """The circuit breaker and the throttle of every database."""

    def __init__(self, settings: Settings, tables: OptionalTables) -> None:
        self._settings = settings
        self._breakers = CircuitBreakers(settings, tables)

    def admit(self, database: str) -> AdmissionDecision:
        """Decide if views may start. Admits them if the database does not answer: the refreshes report its error."""
        with suppress(Error):
            return self._breakers.hold(database) or self._throttle_hold(database) or self._try_trial(database)
        sessions.discard_if_broken(database)
        return Admit.BATCH

    def record_result(self, view: PlannedView, result: RefreshResult, context: StartContext) -> None:
        """Count a result for the breaker of its database, if it counts."""
        database, failure = view.key.database, result.failure
        if failure is None:
            self._breakers.succeeded(database)
        elif self._settings.breaker_counts == "all" or failure.is_server_fault:
            self._breakers.failed(database, is_trial=context.is_trial)

    def _throttle_hold(self, database: str) -> Hold | None:
        most = self._settings.max_db_active_queries
        if not most or (busy := server_activity.active_query_count(database)) < most:
            return None
        are = "query is" if busy == 1 else "queries are"
        message = f"{busy} {are} active on the server and SEEDER_MAX_DB_ACTIVE_QUERIES is {most}"
        return Hold(reason=HoldReason.SERVER_BUSY, message=message)

    def _try_trial(self, database: str) -> AdmissionDecision:
        if self._breakers.state(database).opened_at is None:
            return Admit.BATCH
        if self._breakers.claim_trial(database):
            return Admit.TRIAL
        return self._breakers.hold(database) or Admit.BATCH

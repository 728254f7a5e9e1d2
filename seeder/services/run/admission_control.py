"""Decides before each batch if views may start in a database.

Processes share the circuit breakers of the databases if their optional table exists.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from time import monotonic

from django.db import DEFAULT_DB_ALIAS, Error
from django.db.models.functions import Now
from django.utils import timezone

from seeder.conf import Settings
from seeder.domain.admission_types import AdmissionDecision, Admit, Hold, HoldReason
from seeder.domain.circuit_breaker_rules import CircuitBreakerState
from seeder.domain.human_format import format_count
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import Outcome, RefreshResult, StartContext
from seeder.domain.plan import PlannedView
from seeder.models import CircuitBreaker
from seeder.postgres import server_activity, sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.transactions import atomic
from seeder.texts import Text

_CACHE_DURATION = timedelta(seconds=1)  # other processes may change the row; a change reads it again

_Transition = Callable[[CircuitBreakerState, datetime], CircuitBreakerState | None]


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
        """Count a result for the breaker of its database, if it counts.

        A held view says nothing about other views. But on trial it shows that the server refreshes views.
        """
        database, failure = view.key.database, result.failure
        if result.outcome is Outcome.HELD and not (context.is_trial and result.attempts):
            return
        if failure is None or result.outcome is Outcome.HELD:
            self._breakers.succeeded(database)
        elif self._settings.breaker_counts == "all" or failure.is_server_fault:
            self._breakers.failed(view.key, failure.reason, is_trial=context.is_trial)

    def _throttle_hold(self, database: str) -> Hold | None:
        most = self._settings.max_db_active_queries
        if not most or (busy := server_activity.active_query_count(database)) < most:
            return None
        message = Text.counted(
            "{number} query is active on the server and SEEDER_MAX_DB_ACTIVE_QUERIES is {most}",
            "{number} queries are active on the server and SEEDER_MAX_DB_ACTIVE_QUERIES is {most}",
            busy,
            most=most,
        )
        return Hold(reason=HoldReason.SERVER_BUSY, message=message)

    def _try_trial(self, database: str) -> AdmissionDecision:
        if self._breakers.state(database).opened_at is None:
            return Admit.BATCH
        if self._breakers.claim_trial(database):
            return Admit.TRIAL
        return self._breakers.hold(database) or Admit.BATCH


class CircuitBreakers:
    """Used by the scheduler's thread only. If the server does not answer, the refreshes report it."""

    def __init__(self, settings: Settings, tables: OptionalTables) -> None:
        self._max_failures = settings.max_failures
        self._reset_after = timedelta(seconds=settings.reset_seconds)
        self._is_shared = tables.is_usable("seeder_circuit_breaker")
        self._cached: dict[str, tuple[CircuitBreakerState, float]] = {}  # with the time of reading

    def state(self, database: str) -> CircuitBreakerState:
        """Return the breaker of a database, at most one second old."""
        breaker, read_at = self._cached.get(database, (CircuitBreakerState(), None))
        if self._is_shared and (read_at is None or monotonic() - read_at > _CACHE_DURATION.total_seconds()):
            with suppress(Error):
                sessions.discard_if_broken(DEFAULT_DB_ALIAS)
                row = CircuitBreaker.objects.filter(pk=database).first()
                breaker = CircuitBreakerState() if row is None else state_from_row(row)
            self._cached[database] = breaker, monotonic()
        return breaker

    def hold(self, database: str) -> Hold | None:
        """Return the hold of an open breaker until its next trial. Raises database errors."""
        breaker = self.state(database)
        due = breaker.next_trial_at(self._reset_after)
        if due is None or sessions.server_time(DEFAULT_DB_ALIAS) >= due:
            return None
        return Hold(reason=HoldReason.CIRCUIT_OPEN, message=_open_text(database, breaker, due, causes=""))

    def open_texts(self, databases: Iterable[str]) -> Iterator[str]:
        """Describe each open breaker, with the views that opened it."""
        for database in sorted(databases):
            breaker = self.state(database)
            if (due := breaker.next_trial_at(self._reset_after)) is not None:
                yield _open_text(database, breaker, due, causes=breaker.cause_text())

    def claim_trial(self, database: str) -> bool:
        """Claim the due trial for this process. Return False if another process was faster."""
        return self._change(database, lambda breaker, now: breaker.start_trial(now, reset_after=self._reset_after))

    def failed(self, view: ViewKey, reason: str, *, is_trial: bool) -> None:
        """Count a failed refresh."""
        self._change(
            view.database,
            lambda breaker, now: breaker.failed(
                now, view=str(view.name), reason=reason, max_failures=self._max_failures, is_trial=is_trial
            ),
        )

    def succeeded(self, database: str) -> None:
        """Close the breaker after a successful refresh."""
        if self.state(database).failures:
            self._change(database, lambda breaker, _: breaker.succeeded())

    def reset(self, database: str) -> None:
        """Close the shared breaker. Raises database errors."""
        _change_row(database, lambda breaker, _: breaker.succeeded())

    def _change(self, database: str, transition: _Transition) -> bool:
        """Replace the state by the transition's result. Return False if that is None, or without an answer."""
        with suppress(Error):
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            if self._is_shared:
                changed = _change_row(database, transition)
            else:
                changed = transition(self.state(database), sessions.server_time(DEFAULT_DB_ALIAS))
            if changed:
                self._cached[database] = changed, monotonic()
                return True
            if self._is_shared:  # another process has changed it
                self._cached.pop(database, None)
        return False


def _open_text(database: str, breaker: CircuitBreakerState, due: datetime, *, causes: str) -> Text:
    values = {
        "database": database,
        "since": timezone.localtime(breaker.opened_at),
        "failures": format_count(breaker.failures, "failure"),
        "due": timezone.localtime(due),
    }
    if not causes:
        return Text(
            "the circuit breaker of {database} is open since {since:%Y-%m-%d %H:%M:%S %Z} after {failures} in a row;"
            " one view is tried at {due:%H:%M:%S}",
            **values,
        )
    return Text(
        "the circuit breaker of {database} is open since {since:%Y-%m-%d %H:%M:%S %Z} after {failures} in a row:"
        " {causes}; one view is tried at {due:%H:%M:%S}",
        causes=causes,
        **values,
    )


def _change_row(database: str, transition: _Transition) -> CircuitBreakerState | None:
    with atomic(durable=True):
        CircuitBreaker.objects.bulk_create([CircuitBreaker(pk=database)], ignore_conflicts=True)
        row = CircuitBreaker.objects.select_for_update().get(pk=database)
        changed = transition(state_from_row(row), sessions.server_time(DEFAULT_DB_ALIAS))
        if changed:
            CircuitBreaker.objects.filter(pk=database).update(**asdict(changed), updated_at=Now())
        return changed


def state_from_row(row: CircuitBreaker) -> CircuitBreakerState:
    """Return the state that a row of the shared table has."""
    return CircuitBreakerState(
        failures=row.failures, opened_at=row.opened_at, last_trial_at=row.last_trial_at, causes=row.causes
    )

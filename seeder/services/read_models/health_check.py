"""A cheap health check with a deadline, for frequent probes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.monitoring.health_status import ComponentStatus, Health
from seeder.errors import (
    ConfigurationError,
    DatabaseError,
    NotPostgreSQL,
    PermissionMissing,
    ReadOnly,
    SchemaMissing,
    ServerFault,
    SessionsPooled,
)
from seeder.models import CircuitBreaker
from seeder.postgres import contract, deadline_query, sessions
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import contract_check
from seeder.services.queue import dispatch, part_rows, queue_overview
from seeder.services.run import preconditions

TIMEOUT = timedelta(seconds=3)  # for the entire check
CACHE_DURATION = timedelta(seconds=1)  # the endpoint is public, and each check needs a connection

_STATUS_OF_ERROR: dict[type[DatabaseError], ComponentStatus] = {
    NotPostgreSQL: ComponentStatus.INVALID,
    ServerFault: ComponentStatus.FAULTY,
    ReadOnly: ComponentStatus.READ_ONLY,
    SessionsPooled: ComponentStatus.POOLED,
}


def check_health() -> Health:
    """Check the health within the deadline, even if a database hangs."""
    try:
        others = set(conf.load().databases.values()) - {DEFAULT_DB_ALIAS}
    except ConfigurationError:
        return Health(settings=ComponentStatus.INVALID)
    pending = [_other_query(alias).start(max_age=CACHE_DURATION) for alias in sorted(others)]
    health = _default_health(_default_query().start(max_age=CACHE_DURATION))
    words = [_status(one.answer, alias) for alias, one in zip(sorted(others), pending, strict=True)]
    ill = [word for word in words if word is not ComponentStatus.OK]
    return replace(health, other_databases=ill[0] if ill else ComponentStatus.OK if words else ComponentStatus.ABSENT)


def _default_health(pending: deadline_query.PendingAnswer[Health]) -> Health:
    try:
        with translate_database_errors(DEFAULT_DB_ALIAS):
            return pending.answer()
    except ConfigurationError:
        return Health(settings=ComponentStatus.INVALID, database=ComponentStatus.OK)
    except SchemaMissing:
        return Health(settings=ComponentStatus.OK, database=ComponentStatus.OK, tables=ComponentStatus.MISSING)
    except PermissionMissing:
        return Health(settings=ComponentStatus.OK, database=ComponentStatus.OK, privileges=ComponentStatus.MISSING)
    except DatabaseError as error:
        return Health(
            settings=ComponentStatus.OK, database=_STATUS_OF_ERROR.get(type(error), ComponentStatus.UNREACHABLE)
        )


@cache
def _default_query() -> deadline_query.DeadlineQuery[Health]:
    return deadline_query.DeadlineQuery(DEFAULT_DB_ALIAS, _read_health, timeout=TIMEOUT)


@cache
def _other_query(alias: str) -> deadline_query.DeadlineQuery[bool]:
    return deadline_query.DeadlineQuery(alias, lambda: sessions.is_read_only(alias), timeout=TIMEOUT)


def _status(answer: Callable[[], bool], alias: str) -> ComponentStatus:
    try:
        with translate_database_errors(alias):
            return ComponentStatus.READ_ONLY if answer() else ComponentStatus.OK
    except DatabaseError as error:
        return _STATUS_OF_ERROR.get(type(error), ComponentStatus.UNREACHABLE)


def _read_health() -> Health:
    preconditions.require_all(conf.load())
    health = Health(settings=ComponentStatus.OK, database=ComponentStatus.OK)
    lacking = [
        one
        for one in contract_check.database_differences(DEFAULT_DB_ALIAS)
        if one.actual is None and one.lost_feature is None
    ]
    if lacking:
        return replace(health, tables=ComponentStatus.MISSING)
    # With a queue, the web server's role may only need to request refreshes.
    may = any(contract.has_refresh_privileges(DEFAULT_DB_ALIAS, queued=one) for one in {False, dispatch.is_installed()})
    health = replace(
        health,
        tables=ComponentStatus.OK,
        privileges=ComponentStatus.OK if may else ComponentStatus.MISSING,
        breaker=_breaker_status(),
    )
    if not dispatch.is_installed() or not part_rows.exists():
        return replace(health, queue=ComponentStatus.ABSENT, workers=ComponentStatus.ABSENT)
    if queue_overview.queue_problems():
        return replace(health, queue=ComponentStatus.UNUSABLE)
    return replace(health, queue=ComponentStatus.OK, workers=ComponentStatus(queue_overview.activity()))


def _breaker_status() -> ComponentStatus:
    if contract.reason_unusable(DEFAULT_DB_ALIAS, "seeder_circuit_breaker", read_only=True) is not None:
        return ComponentStatus.UNKNOWN
    return ComponentStatus.OPEN if CircuitBreaker.objects.exclude(opened_at=None).exists() else ComponentStatus.CLOSED

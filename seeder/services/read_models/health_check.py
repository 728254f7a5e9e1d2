"""A cheap health check with a deadline, for frequent probes."""

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
    ServerOutOfMemory,
    SessionsPooled,
)
from seeder.models import CircuitBreaker
from seeder.postgres import contract, deadline_query, sessions
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import contract_installation
from seeder.services.queue import dispatch, part_rows, queue_overview
from seeder.services.read_models.freshness_overview import freshness_overview
from seeder.services.run import preconditions

TIMEOUT = timedelta(seconds=3)  # for the entire check
CACHE_DURATION = timedelta(seconds=1)  # the endpoint is public, and each check needs a connection

_STATUS_OF_ERROR: dict[type[DatabaseError], ComponentStatus] = {
    NotPostgreSQL: ComponentStatus.INVALID,
    ServerFault: ComponentStatus.FAULTY,
    ServerOutOfMemory: ComponentStatus.FAULTY,
    ReadOnly: ComponentStatus.READ_ONLY,
    SessionsPooled: ComponentStatus.POOLED,
}
_CONNECTED = Health(settings=ComponentStatus.OK, database=ComponentStatus.OK)


def check_health() -> Health:
    """Check the health within the deadline, even if a database hangs."""
    try:
        others = sorted(set(conf.load().databases.values()) - {DEFAULT_DB_ALIAS})
    except ConfigurationError:
        return Health(settings=ComponentStatus.INVALID)
    pending = {alias: _other_query(alias).start(max_age=CACHE_DURATION) for alias in others}
    health = _default_health(_DEFAULT_QUERY.start(max_age=CACHE_DURATION))
    if not others:
        return health
    statuses = [_other_status(alias, answer) for alias, answer in pending.items()]
    problem = next((status for status in statuses if status is not ComponentStatus.OK), ComponentStatus.OK)
    return replace(health, other_databases=problem)


def _default_health(pending: deadline_query.PendingAnswer[Health]) -> Health:
    try:
        with translate_database_errors(DEFAULT_DB_ALIAS):
            return pending.answer()
    except ConfigurationError:
        return replace(_CONNECTED, settings=ComponentStatus.INVALID)
    except SchemaMissing:
        return replace(_CONNECTED, tables=ComponentStatus.MISSING)
    except PermissionMissing:
        return replace(_CONNECTED, privileges=ComponentStatus.MISSING)
    except DatabaseError as error:
        return replace(_CONNECTED, database=_STATUS_OF_ERROR.get(type(error), ComponentStatus.UNREACHABLE))


def _other_status(alias: str, pending: deadline_query.PendingAnswer[bool]) -> ComponentStatus:
    try:
        with translate_database_errors(alias):
            return ComponentStatus.READ_ONLY if pending.answer() else ComponentStatus.OK
    except DatabaseError as error:
        return _STATUS_OF_ERROR.get(type(error), ComponentStatus.UNREACHABLE)


@cache
def _other_query(alias: str) -> deadline_query.DeadlineQuery[bool]:
    return deadline_query.DeadlineQuery(alias, lambda: sessions.session_state(alias).is_read_only, timeout=TIMEOUT)


def _read_health() -> Health:
    preconditions.require_all(conf.load())
    differences = contract_installation.database_differences(DEFAULT_DB_ALIAS)
    if any(each.actual is None and each.lost_feature is None for each in differences):
        return replace(_CONNECTED, tables=ComponentStatus.MISSING)
    has_queue = dispatch.is_installed()
    # With a queue, the web server's role may only need to request refreshes.
    may = any(contract.has_refresh_privileges(DEFAULT_DB_ALIAS, queued=queued) for queued in {False, has_queue})
    queue, workers = ComponentStatus.ABSENT, ComponentStatus.ABSENT
    if has_queue and not any(each.table == part_rows.TABLE and each.column is None for each in differences):
        queue, workers = ComponentStatus.UNUSABLE, ComponentStatus.UNKNOWN
        if not queue_overview.queue_problems():
            queue, workers = ComponentStatus.OK, queue_overview.worker_status()
    return replace(
        _CONNECTED,
        tables=ComponentStatus.OK,
        privileges=ComponentStatus.OK if may else ComponentStatus.MISSING,
        breaker=_breaker_status(),
        freshness=_freshness_status(),
        queue=queue,
        workers=workers,
    )


def _freshness_status() -> ComponentStatus:
    overview = freshness_overview()
    if not overview:
        return ComponentStatus.ABSENT
    return ComponentStatus.LATE if any(one.is_alarm for one in overview.statuses) else ComponentStatus.OK


def _breaker_status() -> ComponentStatus:
    if not contract.OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True).is_usable("seeder_circuit_breaker"):
        return ComponentStatus.UNKNOWN
    return ComponentStatus.OPEN if CircuitBreaker.objects.exclude(opened_at=None).exists() else ComponentStatus.CLOSED


_DEFAULT_QUERY = deadline_query.DeadlineQuery(DEFAULT_DB_ALIAS, _read_health, timeout=TIMEOUT)

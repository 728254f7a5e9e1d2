"""Metrics read from the tables.

Runs are separate processes and most have ended before a scrape, so that counters in this process would miss them.
"""

from datetime import timedelta
from functools import cache

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.monitoring.metrics_values import BreakerGauge, Gauges, top_reasons
from seeder.domain.monitoring.report_jobs import JobFilter
from seeder.postgres import contract, deadline_query, metrics_queries
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.read_models import job_list

TIMEOUT = timedelta(seconds=8)  # for all queries; two seconds less than the default timeout of Prometheus
_UNKNOWN = "unknown"


def read_metrics() -> Gauges:
    """Read all metrics within the deadline. Raises `ConfigurationError` or `DatabaseError`."""
    conf.load()
    with translate_database_errors(DEFAULT_DB_ALIAS):
        return _query().start().answer()


@cache
def _query() -> deadline_query.DeadlineQuery[Gauges]:
    return deadline_query.DeadlineQuery(DEFAULT_DB_ALIAS, _read, timeout=TIMEOUT)


def _read() -> Gauges:
    settings, database = conf.load(), DEFAULT_DB_ALIAS
    window, is_measured = timedelta(hours=settings.metrics_window_hours), _is_available("seeder_run_metrics")
    open_runs, last_end = metrics_queries.run_activity(database) if _is_available("seeder_run") else (None, None)
    breakers = {alias: BreakerGauge(is_open=False, failures=0) for alias in {database, *settings.databases.values()}}
    reasons = metrics_queries.failure_reasons(database, window) if is_measured else ()
    return Gauges(
        job_totals=job_list.job_totals(JobFilter()),
        refresh_durations=metrics_queries.refresh_durations(database, window),
        last_successes=metrics_queries.last_successes(database, max_views=settings.metrics_views),
        wait_durations=metrics_queries.wait_durations(database, window) if is_measured else None,
        failure_reasons=top_reasons([(reason or _UNKNOWN, count) for reason, count in reasons])
        if is_measured
        else None,
        breakers={**breakers, **metrics_queries.breaker_states(database)}
        if _is_available("seeder_circuit_breaker")
        else None,
        queue=metrics_queries.queue_depth(database) if _is_available("seeder_queued_refresh") else None,
        unfinished_runs=open_runs,
        last_run_finished_at=last_end,
    )


def _is_available(table: str) -> bool:
    return contract.reason_unusable(DEFAULT_DB_ALIAS, table, read_only=True) is None

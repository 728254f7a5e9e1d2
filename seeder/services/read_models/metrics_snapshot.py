"""Metrics read from the tables.

Runs are separate processes and most have ended before a scrape, so that counters in this process would miss them.
"""

from collections.abc import Mapping
from datetime import timedelta
from itertools import product
from operator import itemgetter

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, Max

from seeder import conf
from seeder.domain.freshness.contract import ContractSeverity
from seeder.domain.freshness.states import FreshnessState
from seeder.domain.monitoring.metrics_values import BreakerGauge, FreshnessGauges, Gauges, top_reasons
from seeder.domain.monitoring.report_jobs import JobFilter
from seeder.domain.notifications.delivery import DeliveryState
from seeder.models import CircuitBreaker, Notification, Run
from seeder.postgres import contract, deadline_query, metrics_queries
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.read_models import job_list
from seeder.services.read_models.freshness_overview import freshness_overview

_LATEST_RUNS = 100  # those that started last; one of them ended last
TIMEOUT = timedelta(seconds=8)  # for all queries; two seconds less than the default timeout of Prometheus


def read_metrics() -> Gauges:
    """Read all metrics within the deadline. Raises `ConfigurationError` or `DatabaseError`."""
    conf.load()
    with translate_database_errors(DEFAULT_DB_ALIAS):
        return _QUERY.start().answer()


def _read() -> Gauges:
    settings, database = conf.load(), DEFAULT_DB_ALIAS
    window = timedelta(hours=settings.metrics_window_hours)
    tables = contract.OptionalTables.read(database, read_only=True)
    waits = reasons = breakers = queue = None
    unfinished_runs, last_run_finished_at = None, None
    if tables.is_usable("seeder_run_metrics"):
        waits = metrics_queries.wait_durations(window)
        reasons = top_reasons(metrics_queries.failure_reasons(window))
    if tables.is_usable("seeder_circuit_breaker"):
        closed = BreakerGauge(is_open=False, failures=0)
        breakers = dict.fromkeys({database, *settings.databases.values()}, closed)
        breakers |= {
            row.pk: BreakerGauge(is_open=row.opened_at is not None, failures=row.failures)
            for row in CircuitBreaker.objects.all()
        }
    if tables.is_usable("seeder_queued_refresh"):
        queue = metrics_queries.queue_depth()
    if tables.is_usable("seeder_run"):
        unfinished_runs = Run.objects.unfinished().count()
        latest = Run.objects.order_by("-started_at")[:_LATEST_RUNS]
        last_run_finished_at = latest.aggregate(last=Max("finished_at"))["last"]
    return Gauges(
        job_totals=job_list.job_totals(JobFilter()),
        refresh_durations=metrics_queries.refresh_durations(window),
        last_successes=metrics_queries.last_successes(max_views=settings.metrics_views),
        wait_durations=waits,
        failure_reasons=reasons,
        breakers=breakers,
        queue=queue,
        freshness=_freshness(max_views=settings.metrics_views),
        undelivered=_undelivered(settings, tables),
        unfinished_runs=unfinished_runs,
        last_run_finished_at=last_run_finished_at,
    )


def _undelivered(settings: conf.Settings, tables: contract.OptionalTables) -> Mapping[str, int] | None:
    """Return the notifications that wait, by channel of the settings."""
    if not settings.notifications or not tables.is_usable("seeder_notification"):
        return None
    waiting = Notification.objects.filter(state=DeliveryState.PENDING).values_list("channel").annotate(n=Count("pk"))
    counts = dict(waiting)
    return {channel.name: counts.get(channel.name, 0) for channel in settings.notifications}


def _freshness(*, max_views: int) -> FreshnessGauges | None:
    """Return the gauges of contracts. Of the views, those with the oldest data."""
    statuses = freshness_overview(with_fresh=None).statuses
    if not statuses:
        return None
    contracts = dict[tuple[str, str], int](dict.fromkeys(product(FreshnessState, ContractSeverity), 0))
    for one in statuses:
        contracts[one.judgement.state, one.contract.severity] += 1
    instants = {one.table_name: one.age.as_of for one in statuses if one.age.as_of is not None}
    oldest = sorted(instants.items(), key=itemgetter(1))[:max_views]
    return FreshnessGauges(contracts=contracts, data_as_of=dict(oldest))


_QUERY = deadline_query.DeadlineQuery(DEFAULT_DB_ALIAS, _read, timeout=TIMEOUT)

"""The Prometheus metrics of this app.

docs/reference/metrics.md is generated from the help texts.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import accumulate, product
from time import monotonic
from typing import Any

from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.utils import floatToGoString

from seeder import __version__, conf
from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.metrics_values import DURATION_BOUNDS, WAIT_BOUNDS, Distribution, FreshnessGauges, Gauges
from seeder.domain.outcomes import Status
from seeder.errors import DatabaseError
from seeder.services.read_models import metrics_snapshot

_FINISHED_STATUSES = (Status.SUCCESS, Status.ERROR)
_WAIT_KINDS = ("worker", "throttle", "lock")


def collect_metrics() -> Iterator[Metric]:
    """Read the database and yield the metrics of one scrape. Raises `ConfigurationError`."""
    started_at = monotonic()
    window = timedelta(hours=conf.load().metrics_window_hours)
    try:
        gauges = metrics_snapshot.read_metrics()
    except DatabaseError:
        gauges = None
    yield from build_metrics(gauges, window=window, duration=timedelta(seconds=monotonic() - started_at))


def build_metrics(gauges: Gauges | None, *, window: timedelta, duration: timedelta) -> Iterator[Metric]:
    """Yield the metrics of one scrape.

    `gauges` is None if the database did not answer.
    """
    up_text = "1 if the database answered within 8 s. Otherwise 0, and only the next two metrics exist."
    yield _gauge("up", up_text, gauges is not None)
    yield _gauge("build_info", "1, with the version of seeder.", {__version__: 1}, "version")
    yield _gauge("scrape_duration_seconds", "Duration of this scrape.", duration.total_seconds())
    if gauges is not None:
        yield from _view_metrics(gauges)
        if gauges.freshness is not None:
            yield from _freshness_metrics(gauges.freshness)
        yield from _recent_metrics(gauges, window)
        yield from _run_metrics(gauges)


def _view_metrics(gauges: Gauges) -> Iterator[Metric]:
    views = gauges.job_totals
    yield _gauge("views", "Views of enabled manifests. One view can be in several of the next groups.", views.jobs)
    yield _gauge("views_fresh", "Views that are neither failing nor stale.", views.fresh)
    yield _gauge("views_failing", "Views whose last finished refresh failed.", views.failing)
    stale_text = "Views that miss a contract of severity error, or without one and a success within STALE_HOURS."
    yield _gauge("views_stale", stale_text, views.stale)
    yield _gauge("views_running", "Views that are being refreshed now.", views.running)
    long_text = "Running views over LONG_RUNNING_FACTOR times their last successful duration."
    yield _gauge("views_long_running", long_text, views.long_running)
    yield _gauge(
        "view_last_success_timestamp_seconds",
        "Start of the last successful refresh of a view; 0 if there is none. Its age is time() minus this.",
        {name: at.timestamp() if at else 0.0 for name, at in gauges.last_successes},
        "view",
    )


def _freshness_metrics(freshness: FreshnessGauges) -> Iterator[Metric]:
    contracts_text = "Freshness contracts of views, by state: fresh, due, held, late or unknown."
    yield _gauge("freshness_contracts", contracts_text, freshness.contracts, "state", "severity")
    yield _gauge(
        "view_data_as_of_timestamp_seconds",
        "As of when the data of a view with a contract are. Their age is time() minus this.",
        {name: at.timestamp() for name, at in freshness.data_as_of.items()},
        "view",
    )


def _recent_metrics(gauges: Gauges, window: timedelta) -> Iterator[Metric]:
    yield _gauge("recent_window_seconds", "Length of the window of the recent metrics.", window.total_seconds())
    empty = Distribution.from_buckets({}, DURATION_BOUNDS)
    distributions = {key: gauges.refresh_durations.get(key, empty) for key in product(ReportType, _FINISHED_STATUSES)}
    yield _gauge(
        "recent_refreshes",
        "Refreshes that started in the window and have ended, counted once however many agencies share them.",
        {key: sum(each.counts) for key, each in distributions.items()},
        "report_type",
        "status",
    )
    durations = {
        status: sum((each for (_, ended), each in distributions.items() if ended is status), start=empty)
        for status in _FINISHED_STATUSES
    }
    duration_text = "Durations of recent refreshes."
    yield _histogram("recent_refresh_duration_seconds", duration_text, durations, DURATION_BOUNDS, "status")
    if gauges.wait_durations is not None:
        no_wait = Distribution.from_buckets({}, WAIT_BOUNDS)
        waits = {kind: gauges.wait_durations.get(kind, no_wait) for kind in _WAIT_KINDS}
        wait_text = "Waits of recent refreshes for a worker, for a lock, or for the throttle, breaker or pace."
        yield _histogram("recent_refresh_wait_seconds", wait_text, waits, WAIT_BOUNDS, "waited_for")
    if gauges.failure_reasons is not None:
        yield _gauge(
            "recent_failures",
            "Recent failures by reason: the 20 most frequent, and the others as other. Without a reason: unknown.",
            gauges.failure_reasons,
            "reason",
        )


def _run_metrics(gauges: Gauges) -> Iterator[Metric]:
    if gauges.breakers is not None:
        is_open = {alias: breaker.is_open for alias, breaker in gauges.breakers.items()}
        yield _gauge("breaker_open", "1 while the circuit breaker of the database is open.", is_open, "database")
        failures = {alias: breaker.failures for alias, breaker in gauges.breakers.items()}
        failures_text = "Failures in a row that the circuit breaker has counted."
        yield _gauge("breaker_failures", failures_text, failures, "database")
    if gauges.queue is not None:
        parts = {"queued": gauges.queue.queued, "running": gauges.queue.running}
        yield _gauge("queue_parts", "Parts of queued requests that are queued or running.", parts, "state")
        wait_text = "Age of the oldest queued part; 0 if there is none."
        yield _gauge("queue_oldest_waiting_seconds", wait_text, gauges.queue.oldest_wait_seconds)
    if gauges.undelivered is not None:
        waiting_text = "Notifications of the channel that wait for their delivery."
        yield _gauge("notifications_undelivered", waiting_text, gauges.undelivered, "channel")
    if gauges.unfinished_runs is not None:
        runs_text = "Runs without an end: running, or killed and not yet recovered."
        yield _gauge("runs_open", runs_text, gauges.unfinished_runs)
    if gauges.last_run_finished_at is not None:
        finished_at = gauges.last_run_finished_at.timestamp()
        yield _gauge("last_run_end_timestamp_seconds", "End of the last finished run.", finished_at)


def _gauge(name: str, documentation: str, value: float | Mapping[Any, float], *labels: str) -> Metric:
    """Return a metric with one value, or with values by label."""
    family = GaugeMetricFamily(f"seeder_{name}", documentation, labels=labels)
    for key, number in value.items() if isinstance(value, Mapping) else [((), value)]:
        family.add_metric((key,) if isinstance(key, str) else key, number)
    return family


def _histogram(
    name: str, documentation: str, distributions: Mapping[Any, Distribution], bounds: Sequence[float], label: str
) -> Metric:
    family = GaugeHistogramMetricFamily(f"seeder_{name}", documentation, labels=[label])
    bound_names = [*map(floatToGoString, bounds), "+Inf"]
    for key, each in distributions.items():
        cumulative_counts = map(float, accumulate(each.counts))
        family.add_metric([key], list(zip(bound_names, cumulative_counts, strict=True)), each.sum_seconds)
    return family

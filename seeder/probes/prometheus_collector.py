"""The Prometheus metrics of this app.

docs/reference/metrics.md is generated from the help texts.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import accumulate, product
from time import monotonic

from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.utils import floatToGoString

from seeder import __version__, conf
from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.metrics_values import DURATION_BOUNDS, WAIT_BOUNDS, Distribution, Gauges
from seeder.domain.outcomes import Status
from seeder.errors import DatabaseError
from seeder.services.read_models import metrics_snapshot

_FINISHED_STATUSES = (Status.SUCCESS, Status.ERROR)
_WAIT_KINDS = ("worker", "throttle", "lock")

Samples = Iterable[tuple[Sequence[str], float]]


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
    yield _gauge(
        "up",
        "1 if the database answered within 8 s. Otherwise 0, and only the next two metrics exist.",
        [((), float(gauges is not None))],
    )
    yield _gauge("build_info", "1, with the version of seeder.", [((__version__,), 1)], "version")
    yield _gauge("scrape_duration_seconds", "Duration of this scrape.", [((), duration.total_seconds())])
    if gauges is not None:
        yield from _view_metrics(gauges)
        yield from _recent_metrics(gauges, window)
        yield from _run_metrics(gauges)


def _view_metrics(gauges: Gauges) -> Iterator[Metric]:
    views = gauges.job_totals
    for name, documentation, count in (
        ("views", "Views of enabled manifests. One view can be in several of the next groups.", views.jobs),
        ("views_fresh", "Views that are neither failing nor stale.", views.fresh),
        ("views_failing", "Views whose last finished refresh failed.", views.failing),
        ("views_stale", "Views whose last success is older than STALE_HOURS, or that have none.", views.stale),
        ("views_running", "Views that are being refreshed now.", views.running),
        (
            "views_long_running",
            "Running views over LONG_RUNNING_FACTOR times their last successful duration.",
            views.long_running,
        ),
    ):
        yield _gauge(name, documentation, [((), count)])
    yield _gauge(
        "view_last_success_timestamp_seconds",
        "Start of the last successful refresh of a view; 0 if there is none. Its age is time() minus this.",
        [((name,), at.timestamp() if at else 0.0) for name, at in gauges.last_successes],
        "view",
    )


def _recent_metrics(gauges: Gauges, window: timedelta) -> Iterator[Metric]:
    yield _gauge("recent_window_seconds", "Length of the window of the recent metrics.", [((), window.total_seconds())])
    empty = Distribution.from_buckets({}, DURATION_BOUNDS)
    distributions = {key: gauges.refresh_durations.get(key, empty) for key in product(ReportType, _FINISHED_STATUSES)}
    yield _gauge(
        "recent_refreshes",
        "Refreshes that started in the window and have ended, counted once however many agencies share them.",
        [((kind, status), sum(each.counts)) for (kind, status), each in distributions.items()],
        "report_type",
        "status",
    )
    durations = GaugeHistogramMetricFamily(
        "seeder_recent_refresh_duration_seconds", "Durations of recent refreshes.", labels=["status"]
    )
    for status in _FINISHED_STATUSES:
        ended_distributions = [each for (_, ended), each in distributions.items() if ended is status]
        _add_histogram(durations, (status,), sum(ended_distributions, start=empty), DURATION_BOUNDS)
    yield durations
    if gauges.wait_durations is not None:
        waits = GaugeHistogramMetricFamily(
            "seeder_recent_refresh_wait_seconds",
            "Waits of recent refreshes for a worker, for a lock, or for the throttle, breaker or pace.",
            labels=["waited_for"],
        )
        for wait_kind in _WAIT_KINDS:
            _add_histogram(
                waits,
                (wait_kind,),
                gauges.wait_durations.get(wait_kind, Distribution.from_buckets({}, WAIT_BOUNDS)),
                WAIT_BOUNDS,
            )
        yield waits
    if gauges.failure_reasons is not None:
        failures = [((reason,), count) for reason, count in gauges.failure_reasons.items()]
        yield _gauge(
            "recent_failures",
            "Recent failures by reason: the 20 most frequent, and the others as other. Without a reason: unknown.",
            failures,
            "reason",
        )


def _run_metrics(gauges: Gauges) -> Iterator[Metric]:
    if gauges.breakers is not None:
        breakers = gauges.breakers.items()
        open_samples = [((alias,), float(one.is_open)) for alias, one in breakers]
        yield _gauge("breaker_open", "1 while the circuit breaker of the database is open.", open_samples, "database")
        failures = [((alias,), one.failures) for alias, one in breakers]
        yield _gauge(
            "breaker_failures", "Failures in a row that the circuit breaker has counted.", failures, "database"
        )
    if gauges.queue is not None:
        queue = gauges.queue
        parts: Samples = [(("queued",), queue.queued), (("running",), queue.running)]
        yield _gauge("queue_parts", "Parts of queued requests that are queued or running.", parts, "state")
        documentation = "Age of the oldest queued part; 0 if there is none."
        yield _gauge("queue_oldest_waiting_seconds", documentation, [((), queue.oldest_wait_seconds)])
    if gauges.unfinished_runs is not None:
        yield _gauge(
            "runs_open",
            "Runs without an end: running, or killed and not yet recovered.",
            [((), gauges.unfinished_runs)],
        )
    if gauges.last_run_finished_at is not None:
        yield _gauge(
            "last_run_end_timestamp_seconds",
            "End of the last finished run.",
            [((), gauges.last_run_finished_at.timestamp())],
        )


def _gauge(name: str, documentation: str, samples: Samples, *labels: str) -> Metric:
    family = GaugeMetricFamily(f"seeder_{name}", documentation, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _add_histogram(
    family: GaugeHistogramMetricFamily, labels: Sequence[str], distribution: Distribution, bounds: Sequence[float]
) -> None:
    names = [*map(floatToGoString, bounds), "+Inf"]
    family.add_metric(
        labels, list(zip(names, map(float, accumulate(distribution.counts)), strict=True)), distribution.sum_seconds
    )

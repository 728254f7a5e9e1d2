"""The Prometheus metrics of loads.

docs/reference/metrics.md is generated from the help texts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.utils import floatToGoString

from data_pipeline import conf
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.metrics_values import (
    CALL_BOUNDS,
    DURATION_BOUNDS,
    SLEEP_BOUNDS,
    Counted,
    Counters,
    LoadGauges,
)
from data_pipeline.services import metrics_snapshot
from seeder.errors import ConfigurationError, DatabaseError


class _Buckets(NamedTuple):
    """The counters of a histogram."""

    total: Counted
    bucket: Counted
    bounds: Sequence[float]


_RUN_BUCKETS = _Buckets(Counted.SECONDS, Counted.BUCKET, DURATION_BOUNDS)
_CALL_BUCKETS = _Buckets(Counted.CALL_SECONDS, Counted.CALL_BUCKET, CALL_BOUNDS)
_SLEEP_BUCKETS = _Buckets(Counted.SLEEP_SECONDS, Counted.SLEEP_BUCKET, SLEEP_BOUNDS)
_TASK_STATUSES = {LoadStatus.SUCCESS: "success", LoadStatus.FAILED: "error"}


def collect_metrics() -> Iterator[Metric]:
    """Start to read the database, and return the metrics of one scrape."""
    return _metrics(metrics_snapshot.start_reading(), with_awa_names=_has_awa_names())


def _has_awa_names() -> bool:
    try:
        return conf.load().metrics_prefix_awa
    except ConfigurationError:  # reported by a system check; the metrics do not depend on it
        return False


def _metrics(read: Callable[[], LoadGauges], *, with_awa_names: bool) -> Iterator[Metric]:
    try:
        gauges = read()
    except DatabaseError:
        gauges = None
    yield from build_metrics(gauges, with_awa_names=with_awa_names)


def build_metrics(gauges: LoadGauges | None, *, with_awa_names: bool = False) -> Iterator[Metric]:
    """Yield the metrics of one scrape. `gauges` is None if the database did not answer or lacks the tables."""
    up_text = "1 if the tables of loads answered within 8 s. Otherwise 0, and no other metric of loads exists."
    yield GaugeMetricFamily("data_pipeline_up", up_text, gauges is not None)
    if gauges is not None:
        yield from _counter_metrics(gauges.counters)
        yield from _call_metrics(gauges.counters)
        yield from _ingest_metrics(gauges.counters)
        yield from _operation_metrics(gauges.counters, "etl")
        if with_awa_names:
            yield from _operation_metrics(gauges.counters, "awa")
        yield from _state_metrics(gauges)


def _counter_metrics(counters: Counters) -> Iterator[Metric]:
    runs = counters.of(Counted.RUNS)
    runs_text = "Ended loads and other runs of a source by status: success, skipped (a duplicate) or failed."
    yield _counter("etl_runs", runs_text, runs, "source", "status")
    tasks = dict.fromkeys(_TASK_STATUSES.values(), 0.0)
    for (_, status), count in runs.items():
        if status in _TASK_STATUSES:
            tasks[_TASK_STATUSES[LoadStatus(status)]] += count
    tasks_text = "Ended loads and other runs of all sources, without skipped ones: success or error."
    yield _counter("task_runs", tasks_text, {(status,): count for status, count in tasks.items()}, "status")
    yield _counter("etl_processed_records", "Records that were read.", _by_source(counters, Counted.RECORDS), "source")
    durations_text = "Durations of loads and other runs."
    yield _histogram("etl_duration_seconds", durations_text, counters, _RUN_BUCKETS, "source")
    retry_text = "Repeated attempts of a source by reason."
    yield _counter("etl_retry", retry_text, counters.of(Counted.RETRIES), "source", "reason")
    normalized_text = "Rows whose values were normalized."
    yield _counter("etl_row_normalized", normalized_text, _by_source(counters, Counted.NORMALIZED), "job")
    errors_text = "Values that could not be normalized, by reason."
    yield _counter("etl_normalize_errors", errors_text, counters.of(Counted.NORMALIZE_ERRORS), "job", "reason")


def _by_source(counters: Counters, counted: Counted) -> Mapping[tuple[str, ...], float]:
    return {(source,): value for (source, _), value in counters.of(counted).items()}


def _call_metrics(counters: Counters) -> Iterator[Metric]:
    calls_text = (
        "Attempts of HTTP calls by outcome: success, http_503, timeout and so on. A status of `allowed_statuses` is a"
        " success."
    )
    yield _counter("external_http_requests", calls_text, counters.of(Counted.CALLS), "integration", "outcome")
    duration_text = "Durations of attempts of HTTP calls, with their bodies."
    yield _histogram("external_http_request_duration_seconds", duration_text, counters, _CALL_BUCKETS, "integration")
    retries_text = "Repeated attempts of HTTP calls by reason."
    yield _counter("external_http_retries", retries_text, counters.of(Counted.CALL_RETRIES), "integration", "reason")


def _ingest_metrics(counters: Counters) -> Iterator[Metric]:
    refused = {(code,): value for (_, code), value in counters.of(Counted.INGEST_4XX).items()}
    refused_text = (
        "Requests of the API with files or records that were refused, by the code of the answer. Each web process saves"
        " its counts at most once a minute."
    )
    yield _counter("api_ingest_4xx", refused_text, refused, "code")
    failed = sum(counters.of(Counted.INGEST_5XX).values())
    yield CounterMetricFamily("api_ingest_5xx", "Requests with files or records that the server failed.", failed)


def _operation_metrics(counters: Counters, prefix: str) -> Iterator[Metric]:
    attempts = _by_source(counters, Counted.OPERATION_RETRIES)
    yield _counter(f"{prefix}_retry_attempts", "Repeated attempts of operations with `@retry`.", attempts, "operation")
    sleep_text = "Waits before repeated attempts of operations with `@retry`."
    yield _histogram(f"{prefix}_retry_sleep_seconds", sleep_text, counters, _SLEEP_BUCKETS, "operation")


def _histogram(name: str, documentation: str, counters: Counters, buckets: _Buckets, label: str) -> Metric:
    family = HistogramMetricFamily(name, documentation, labels=[label])
    for (source, _), seconds in counters.of(buckets.total).items():
        bounds, counts = zip(*counters.within(buckets.bucket, source, buckets.bounds), strict=True)
        family.add_metric([source], list(zip(map(floatToGoString, bounds), counts, strict=True)), seconds)
    return family


def _state_metrics(gauges: LoadGauges) -> Iterator[Metric]:
    loads = {
        (one.source, state): float(count)
        for one in gauges.open_loads
        for state, count in (("running", one.running), ("stuck", one.stuck), ("failed", one.failed))
    }
    loads_text = (
        "Loads without a success: running, stuck (pending, but the process has ended) or failed. At most 100,000 are"
        " counted."
    )
    yield _gauge("data_pipeline_open_loads", loads_text, loads, "source", "state")
    oldest_failures = {
        (one.source,): one.oldest_failure_at.timestamp() for one in gauges.open_loads if one.oldest_failure_at
    }
    failure_text = "End of the oldest load that failed and has not succeeded since."
    yield _gauge("data_pipeline_oldest_failure_timestamp_seconds", failure_text, oldest_failures, "source")
    refresh_text = "Refreshes that loads requested and that are not dispatched yet."
    yield GaugeMetricFamily("data_pipeline_undispatched_refreshes", refresh_text, gauges.undispatched_refreshes)
    if gauges.oldest_undispatched_at is not None:
        oldest_text = "Commit of the oldest load whose refresh is not dispatched. Absent if there is none."
        oldest_at = gauges.oldest_undispatched_at.timestamp()
        yield GaugeMetricFamily("data_pipeline_oldest_undispatched_timestamp_seconds", oldest_text, oldest_at)
    rejects_text = "Rejected records that are neither replayed nor dismissed. At most 100,000 are counted."
    yield GaugeMetricFamily("data_pipeline_open_rejects", rejects_text, gauges.open_rejects)


def _counter(name: str, documentation: str, values: Mapping[Any, float], *labels: str) -> Metric:
    return _with_values(CounterMetricFamily(name, documentation, labels=labels), values)


def _gauge(name: str, documentation: str, values: Mapping[Any, float], *labels: str) -> Metric:
    return _with_values(GaugeMetricFamily(name, documentation, labels=labels), values)


def _with_values(family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[Any, float]) -> Metric:
    for key, number in values.items():
        family.add_metric(key, number)
    return family

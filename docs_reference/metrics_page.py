"""docs/reference/metrics.md: every metric with its type, labels and meaning."""

from datetime import UTC, datetime, timedelta

from prometheus_client.core import Metric

from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.metrics_values import Counted, Counters, LoadGauges, OpenLoads
from data_pipeline.probes import prometheus_collector as loading
from docs_reference.markdown_text import code, page, table
from seeder.domain.freshness.contract import ContractSeverity
from seeder.domain.freshness.states import FreshnessState
from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.metrics_values import (
    DURATION_BOUNDS,
    BreakerGauge,
    Distribution,
    FreshnessGauges,
    Gauges,
    QueueDepth,
)
from seeder.domain.monitoring.report_jobs import JobTotals
from seeder.domain.outcomes import Status
from seeder.probes.prometheus_collector import build_metrics

_INTRO = """[Monitor it with programs](../how-to/monitoring.md#metrics) has the access, the meaning of *recent* and
alert rules."""
_REFRESHING = "All metrics of refreshes are gauges."
_LOADING = """The names that end in `_total` are counters: they never fall, also if loads are pruned, and `rate()` and
`increase()` work. The first 500 sources have series of their own, later ones are `other`."""

_EMPTY = Distribution.from_buckets({}, DURATION_BOUNDS)


def render() -> str:
    """Return the page."""
    return page(
        "Metrics",
        _INTRO,
        "## Refreshing",
        _REFRESHING,
        _table(families()),
        "## Loading",
        _LOADING,
        _table(loading_families()),
    )


def _table(described: list[Metric]) -> str:
    rows = [
        (
            code(f"{family.name}_total" if family.type == "counter" else family.name),
            family.type.replace("gaugehistogram", "gauge histogram"),
            _labels(family),
            family.documentation,
        )
        for family in described
    ]
    return table(("metric", "type", "labels", "meaning"), rows)


def loading_families() -> list[Metric]:
    """Return every metric of loads that a scrape can have."""
    buckets = {Counted.BUCKET, Counted.CALL_BUCKET, Counted.SLEEP_BUCKET}
    rows = [(counted, "", "1" if counted in buckets else LoadStatus.SUCCESS, 0.0) for counted in Counted]
    now = datetime.now(UTC)
    gauges = LoadGauges(
        counters=Counters.from_rows(rows),
        open_loads=[OpenLoads(source="", running=0, stuck=0, failed=1, oldest_failure_at=now)],
        undispatched_refreshes=1,
        oldest_undispatched_at=now,
        open_rejects=0,
    )
    return list(loading.build_metrics(gauges))


def families() -> list[Metric]:
    """Return every metric of refreshes that a scrape can have."""
    gauges = Gauges(
        job_totals=JobTotals(jobs=0, fresh=0, failing=0, running=0, stale=0, long_running=0),
        refresh_durations={(ReportType.CUSTOM, Status.SUCCESS): _EMPTY},
        last_successes=[("", None)],
        wait_durations={},
        failure_reasons={"": 0},
        breakers={"": BreakerGauge(is_open=False, failures=0)},
        freshness=FreshnessGauges(
            contracts={(FreshnessState.FRESH, ContractSeverity.ERROR): 0}, data_as_of={"": datetime.now(UTC)}
        ),
        queue=QueueDepth(queued=0, running=0, oldest_wait_seconds=0),
        undelivered={"": 0},
        unfinished_runs=0,
        last_run_finished_at=datetime.now(UTC),
    )
    return list(build_metrics(gauges, window=timedelta(), duration=timedelta()))


def _labels(family: Metric) -> str:
    labels = dict.fromkeys(label for sample in family.samples for label in sample.labels)
    return ", ".join(map(code, labels))

"""docs/reference/metrics.md: every metric with its type, labels and meaning."""

from datetime import UTC, datetime, timedelta

from prometheus_client.core import Metric

from docs_reference.markdown_text import code, page, table
from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.metrics_values import DURATION_BOUNDS, BreakerGauge, Distribution, Gauges, QueueDepth
from seeder.domain.monitoring.report_jobs import JobTotals
from seeder.domain.outcomes import Status
from seeder.probes.prometheus_collector import build_metrics

_INTRO = """All metrics are gauges. [Monitor it with programs](../how-to/monitoring.md#metrics) has the access, the
meaning of *recent* and alert rules."""

_EMPTY = Distribution.from_buckets({}, DURATION_BOUNDS)


def render() -> str:
    """Return the page."""
    rows = [
        (
            code(family.name),
            family.type.replace("gaugehistogram", "gauge histogram"),
            _labels(family),
            family.documentation,
        )
        for family in families()
    ]
    return page("Metrics", _INTRO, table(("metric", "type", "labels", "meaning"), rows))


def families() -> list[Metric]:
    """Return every metric that a scrape can have."""
    gauges = Gauges(
        job_totals=JobTotals(jobs=0, fresh=0, failing=0, running=0, stale=0, long_running=0),
        refresh_durations={(ReportType.CUSTOM, Status.SUCCESS): _EMPTY},
        last_successes=[("", None)],
        wait_durations={},
        failure_reasons={"": 0},
        breakers={"": BreakerGauge(is_open=False, failures=0)},
        queue=QueueDepth(queued=0, running=0, oldest_wait_seconds=0),
        unfinished_runs=0,
        last_run_finished_at=datetime.now(UTC),
    )
    return list(build_metrics(gauges, window=timedelta(), duration=timedelta()))


def _labels(family: Metric) -> str:
    labels = dict.fromkeys(label for sample in family.samples for label in sample.labels)
    return ", ".join(map(code, labels))

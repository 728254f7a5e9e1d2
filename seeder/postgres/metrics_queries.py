"""What programs that watch are told: a statement each, however long the history is."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from psycopg import sql

from seeder.domain.monitoring.metrics_values import DURATION_BOUNDS, WAIT_BOUNDS, BreakerGauge, Distribution, QueueDepth
from seeder.domain.monitoring.report_jobs import GroupBy, JobFilter
from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS


def refresh_durations(database: str, window: timedelta) -> Mapping[tuple[str, str], Distribution]:
    cells: dict[tuple[str, str], dict[int, tuple[int, float]]] = {}
    for kind, status, bucket, count, seconds in sessions.query(
        database, "recent_refresh_durations", _window_parameters(window, DURATION_BOUNDS)
    ):
        cells.setdefault((kind, status), {})[bucket] = count, seconds
    return {key: Distribution.from_buckets(buckets, DURATION_BOUNDS) for key, buckets in cells.items()}


def wait_durations(database: str, window: timedelta) -> Mapping[str, Distribution]:
    cells: dict[str, dict[int, tuple[int, float]]] = {}
    for waited_for, bucket, count, seconds in sessions.query(
        database, "recent_wait_durations", _window_parameters(window, WAIT_BOUNDS)
    ):
        cells.setdefault(waited_for, {})[bucket] = count, seconds
    return {what: Distribution.from_buckets(buckets, WAIT_BOUNDS) for what, buckets in cells.items()}


def failure_reasons(database: str, window: timedelta) -> Sequence[tuple[str | None, int]]:
    """The most frequent first; None: unknown."""
    return [(reason, count) for reason, count in sessions.query(database, "recent_failure_reasons", {"window": window})]


def last_successes(database: str, *, max_views: int) -> Sequence[tuple[str, datetime | None]]:
    """By view, the longest ago first; None: never."""
    parts = (STATEMENTS[part] for part in ("listed_manifests", GroupBy.VIEW, "last_successes"))
    statement = sql.SQL("\n".join(parts)).format()
    return [
        (name, at)
        for name, at in sessions.query_composed(database, statement, {**asdict(JobFilter()), "max_views": max_views})
    ]


def run_activity(database: str) -> tuple[int, datetime | None]:
    """How many are open, and when one last ended."""
    [(open_runs, last_end)] = sessions.query(database, "run_activity")
    return open_runs, last_end


def queue_depth(database: str) -> QueueDepth:
    [(queued, running, oldest)] = sessions.query(database, "queue_depth")
    return QueueDepth(queued=queued, running=running, oldest_wait_seconds=oldest)


def breaker_states(database: str) -> Mapping[str, BreakerGauge]:
    rows = sessions.query(database, "breaker_states")
    return {alias: BreakerGauge(is_open=is_open, failures=failures) for alias, is_open, failures in rows}


def _window_parameters(window: timedelta, bounds: Sequence[float]) -> Mapping[str, object]:
    return {"window": window, "bounds": [-bound for bound in reversed(bounds)]}

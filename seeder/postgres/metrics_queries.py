"""Queries of the metrics endpoint. Their cost does not grow with the history."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS
from psycopg.rows import class_row

from seeder.domain.monitoring.metrics_values import DURATION_BOUNDS, WAIT_BOUNDS, Distribution, QueueDepth
from seeder.domain.monitoring.report_jobs import GroupBy, JobFilter
from seeder.domain.outcomes import Status
from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS


def refresh_durations(window: timedelta) -> Mapping[tuple[str, str], Distribution]:
    """Durations by report type and status."""
    return _distributions("duration_buckets", window, DURATION_BOUNDS)


def wait_durations(window: timedelta) -> Mapping[str, Distribution]:
    """Waits by what was waited for."""
    waits = _distributions("wait_buckets", window, WAIT_BOUNDS)
    return {waited_for: distribution for (waited_for,), distribution in waits.items()}


def failure_reasons(window: timedelta) -> Sequence[tuple[str | None, int]]:
    """Counts by reason (None: unknown), the most frequent first."""
    return _recent("reason_counts", window=window, statuses=[Status.ERROR])


def _distributions(statement: str, window: timedelta, bounds: Sequence[float]) -> dict[Any, Distribution]:
    cells: dict[Any, dict[int, tuple[int, float]]] = {}
    negative = [-bound for bound in reversed(bounds)]
    rows = _recent(statement, window=window, statuses=[Status.SUCCESS, Status.ERROR], bounds=negative)
    for *key, bucket, count, seconds in rows:
        cells.setdefault(tuple(key), {})[bucket] = count, seconds
    return {key: Distribution.from_buckets(buckets, bounds) for key, buckets in cells.items()}


def _recent(statement: str, **parameters: object) -> sessions.Rows:
    return sessions.query(DEFAULT_DB_ALIAS, f"{STATEMENTS['recent_refreshes']}\n{STATEMENTS[statement]}", parameters)


def last_successes(*, max_views: int) -> Sequence[tuple[str, datetime | None]]:
    """The last success of each view (None: never), oldest first."""
    statement = "\n".join(STATEMENTS[part] for part in ("listed_manifests", GroupBy.VIEW, "last_successes"))
    return sessions.query(DEFAULT_DB_ALIAS, statement, {**asdict(JobFilter()), "max_views": max_views})


def queue_depth() -> QueueDepth:
    [depth] = sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["queue_depth"], row_factory=class_row(QueueDepth))
    return cast("QueueDepth", depth)

"""What programs that watch are told: a statement each, however long the history is."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from psycopg import sql

from seeder.domain.gauges import DURATION_BOUNDS, WAIT_BOUNDS, BreakerGauge, Distribution, QueueDepth
from seeder.domain.jobs import GroupBy, JobFilter
from seeder.postgres import sessions
from seeder.postgres.statements import NAMED


def refreshes(database: str, window: timedelta) -> Mapping[tuple[str, str], Distribution]:
    cells: dict[tuple[str, str], dict[int, tuple[int, float]]] = {}
    for kind, status, place, count, seconds in sessions.query(
        database, "refreshes_lately", _by(window, DURATION_BOUNDS)
    ):
        cells.setdefault((kind, status), {})[place] = count, seconds
    return {key: Distribution.from_buckets(found, DURATION_BOUNDS) for key, found in cells.items()}


def waits(database: str, window: timedelta) -> Mapping[str, Distribution]:
    cells: dict[str, dict[int, tuple[int, float]]] = {}
    for what, place, count, seconds in sessions.query(database, "waits_lately", _by(window, WAIT_BOUNDS)):
        cells.setdefault(what, {})[place] = count, seconds
    return {what: Distribution.from_buckets(found, WAIT_BOUNDS) for what, found in cells.items()}


def reasons(database: str, window: timedelta) -> Sequence[tuple[str | None, int]]:
    """The most frequent first; None: unknown."""
    return [(reason, count) for reason, count in sessions.query(database, "reasons_lately", {"window": window})]


def last_successes(database: str, *, most: int) -> Sequence[tuple[str, datetime | None]]:
    """By view, the longest ago first; None: never."""
    parts = (NAMED[part] for part in ("asked", GroupBy.VIEW, "last_successes"))
    statement = sql.SQL("\n".join(parts)).format()
    return [
        (name, at) for name, at in sessions.query_composed(database, statement, {**asdict(JobFilter()), "most": most})
    ]


def runs(database: str) -> tuple[int, datetime | None]:
    """How many are open, and when one last ended."""
    [(open_runs, last_end)] = sessions.query(database, "runs_now")
    return open_runs, last_end


def queue(database: str) -> QueueDepth:
    [(queued, running, oldest)] = sessions.query(database, "queue_now")
    return QueueDepth(queued=queued, running=running, oldest_wait_seconds=oldest)


def breakers(database: str) -> Mapping[str, BreakerGauge]:
    rows = sessions.query(database, "breakers_now")
    return {alias: BreakerGauge(is_open=is_open, failures=failures) for alias, is_open, failures in rows}


def _by(window: timedelta, bounds: Sequence[float]) -> Mapping[str, object]:
    return {"window": window, "bounds": [-bound for bound in reversed(bounds)]}

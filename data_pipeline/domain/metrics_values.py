"""Values of the metrics: counters of all loads, and the current state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

DURATION_BOUNDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 4 * 3600.0)  # seconds
CALL_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)  # seconds
SLEEP_BOUNDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)  # seconds
MAX_SOURCES = 500  # sources with series of their own
OTHER_SOURCES = "other"


class Counted(StrEnum):
    """The closed set of the column `load_total.metric`, without its marker."""

    RUNS = "runs"  # by status
    RECORDS = "records"
    SECONDS = "seconds"
    BUCKET = "bucket"  # runs by the upper bound of their duration
    RETRIES = "retries"  # by reason
    NORMALIZED = "normalized"  # rows
    NORMALIZE_ERRORS = "normalize_errors"  # by reason
    # The source of the next ones is an integration, that of the three after them an operation.
    CALLS = "calls"  # attempts by outcome
    CALL_SECONDS = "call_seconds"
    CALL_BUCKET = "call_bucket"
    CALL_RETRIES = "call_retries"  # by reason
    OPERATION_RETRIES = "operation_retries"
    SLEEP_SECONDS = "sleep_seconds"
    SLEEP_BUCKET = "sleep_bucket"
    # Of the API.
    INGEST_4XX = "ingest_4xx"  # by code
    INGEST_5XX = "ingest_5xx"


def bucket_label(bound: float) -> str:
    """Return the label of a bucket, which is its upper bound.

    The number is written as PostgreSQL writes it.
    """
    return "Infinity" if bound == float("inf") else f"{bound:g}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Counters:
    """Sums by source and label, for each counter."""

    sums: Mapping[Counted, Mapping[tuple[str, str], float]] = field(default_factory=dict)

    def of(self, counted: Counted) -> Mapping[tuple[str, str], float]:
        return self.sums.get(counted, {})

    @classmethod
    def from_rows(cls, rows: Sequence[tuple[str, str, str, float]]) -> "Counters":
        """Build them from rows of metric, source, label and value.

        The number of series must be bounded. The sources that became known first come first, so that a source keeps
        its series.
        """
        named = set(list(dict.fromkeys(source for _, source, _, _ in rows))[:MAX_SOURCES])
        sums: dict[Counted, dict[tuple[str, str], float]] = {}
        for metric, source, label, value in rows:
            of_metric = sums.setdefault(Counted(metric), {})
            key = (source if source in named else OTHER_SOURCES, label)
            of_metric[key] = of_metric.get(key, 0) + value
        return cls(sums=sums)

    def within(self, bucket: Counted, source: str, bounds: Sequence[float]) -> Sequence[tuple[float, float]]:
        """Return the bound of each bucket, with the durations up to it."""
        counts = {float(label): count for (one, label), count in self.of(bucket).items() if one == source}
        bounds = [*bounds, float("inf")]
        return [(bound, sum(count for other, count in counts.items() if other <= bound)) for bound in bounds]


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenLoads:
    """The pending and failed loads of a source."""

    source: str
    running: int  # a process has the lock
    stuck: int  # pending, but the process has ended
    failed: int
    oldest_failure_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadGauges:
    """All values of one scrape."""

    counters: Counters
    open_loads: Sequence[OpenLoads]
    undispatched_refreshes: int
    oldest_undispatched_at: datetime | None
    open_rejects: int

"""Counters of calls and retries of this process.

They are kept until they are saved for the metrics.

Where Django is started, `services.call_metrics` saves them in the database. Otherwise only the log has them.
"""

import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

from data_pipeline.domain.metrics_values import Counted, bucket_label

_SAVE_EVERY_S = 60.0  # of a process that runs for long


class CallMeasurements:
    """Counters by source, metric and label. Safe for threads."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        # Set by the app's configuration. The second one is for a thread of an event loop.
        self.save, self.save_in_thread = _keep, _keep
        self._clock, self._lock = clock, threading.Lock()
        self._counters: dict[str, dict[Counted, Counter[str]]] = {}
        self._drained_at = clock()

    def count(self, source: str, counted: Counted, label: str = "", value: float = 1.0) -> None:
        """Add to a counter."""
        with self._lock:
            labels = self._counters.setdefault(source, defaultdict(Counter))[counted]
            labels[label] += value  # type: ignore[assignment]  # a Counter also adds numbers with decimals

    def observe(self, source: str, seconds: float, *, total: Counted, bucket: Counted, bounds: Sequence[float]) -> None:
        """Add a duration to a histogram."""
        self.count(source, total, value=seconds)
        index = bisect_left(bounds, seconds)
        self.count(source, bucket, bucket_label(bounds[index] if index < len(bounds) else float("inf")))

    def drain(self) -> Mapping[str, Mapping[Counted, Mapping[str, float]]]:
        """Return all counters, and begin again at 0."""
        with self._lock:
            drained, self._counters = self._counters, {}
            self._drained_at = self._clock()
        return drained

    def is_due(self) -> bool:
        """Return whether there are counters that have waited long enough."""
        return bool(self._counters) and self._clock() >= self._drained_at + _SAVE_EVERY_S


def _keep() -> None:
    pass


CALLS = CallMeasurements()

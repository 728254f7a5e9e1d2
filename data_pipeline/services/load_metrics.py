"""Records what a process does, for the metrics `etl_*`. Works without prometheus_client.

Most processes have ended before Prometheus could read them, so they leave their counters as events in the database.
`process_once` already leaves those of its loads. A run is counted by its loads, if it has any of the same source.
"""

import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.normalizing import NormalizeReason
from data_pipeline.http.call_context import calls_of
from data_pipeline.services.call_metrics import save_calls
from data_pipeline.services.measurement_events import save_measurement

OTHER_REASON = "other"
_REASON = re.compile(r"[a-z0-9][a-z0-9_.-]{0,47}", re.ASCII)


@dataclass(kw_only=True, slots=True)
class _Measurement:
    """Counters of a source that are not in the database yet."""

    processed: int | None = None
    retries: Counter[str] = field(default_factory=Counter)
    normalized: int | None = None
    normalize_errors: Counter[str] = field(default_factory=Counter)

    def facts(self) -> dict[str, Any]:
        facts = {
            "records": self.processed,
            "retries": dict(self.retries),
            "normalized": self.normalized,
            "normalize_errors": dict(self.normalize_errors),
        }
        return {name: fact for name, fact in facts.items() if fact not in (None, {})}


@dataclass(kw_only=True, slots=True)
class _Run:
    """A run that has not ended."""

    source: str
    measurement: _Measurement = field(default_factory=_Measurement)
    is_skipped: bool = False
    load_statuses: set[LoadStatus] = field(default_factory=set)


class _ThreadState(threading.local):
    def __init__(self) -> None:
        self.runs: list[_Run] = []  # the innermost last
        self.unsaved: dict[str, _Measurement] = {}  # of sources without a run


_state = _ThreadState()


@contextmanager
def record_etl_run(source: str, *, database: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Count a run of a source by its status, with its duration. It fails if the block raises."""
    run, started_at = _Run(source=source), monotonic()
    _state.runs.append(run)
    status = LoadStatus.FAILED
    try:
        with calls_of(source=source):
            yield
        status = LoadStatus.SKIPPED if run.is_skipped else LoadStatus.SUCCESS
    finally:
        _state.runs.remove(run)
        facts = run.measurement.facts()
        has_unloaded_failure = status is LoadStatus.FAILED and LoadStatus.FAILED not in run.load_statuses
        if not run.load_statuses or has_unloaded_failure:
            facts |= {"status": status, "duration_ms": int((monotonic() - started_at) * 1000)}
        if facts:
            save_measurement(source, facts, database)
        save_calls(database)


def record_etl_skip(source: str, *, database: str = DEFAULT_DB_ALIAS) -> None:
    """Count a run that had nothing to do.

    It is the current run, if that is of this source.
    """
    if (run := _run_of(source)) is not None:
        run.is_skipped = True
    else:
        save_measurement(source, {"status": LoadStatus.SKIPPED}, database)


def record_etl_batch(source: str, *, processed: int, database: str = DEFAULT_DB_ALIAS) -> None:
    """Count processed records, unless a load counts them."""
    with _measuring(source, database) as measurement:
        measurement.processed = (measurement.processed or 0) + processed


def record_etl_retry(source: str, *, reason: str, database: str = DEFAULT_DB_ALIAS) -> None:
    """Count a repeated attempt. `reason` is a machine-readable word, otherwise it becomes `other`."""
    with _measuring(source, database) as measurement:
        measurement.retries[reason if _REASON.fullmatch(reason) else OTHER_REASON] += 1


def record_etl_normalizing(
    job: str, *, rows: int, errors: Mapping[NormalizeReason, int] | None = None, database: str = DEFAULT_DB_ALIAS
) -> None:
    """Count normalized rows, and values that could not be normalized, by reason."""
    with _measuring(job, database) as measurement:
        measurement.normalized = (measurement.normalized or 0) + rows
        measurement.normalize_errors.update({reason.value: count for reason, count in (errors or {}).items()})


def end_load(source: str, status: LoadStatus, *, database: str) -> None:
    """Note that a load has ended, which counts the current run. Save what was recorded in its transaction."""
    if (run := _run_of(source)) is not None:
        run.load_statuses.add(status)
    _save_unsaved(database)
    save_calls(database)


def _run_of(source: str) -> _Run | None:
    return next((run for run in reversed(_state.runs) if run.source == source), None)


@contextmanager
def _measuring(source: str, database: str) -> Iterator[_Measurement]:
    """Yield the counters of the source's run. Without a run they are saved, after an open transaction."""
    if (run := _run_of(source)) is not None:
        yield run.measurement
        return
    yield _state.unsaved.setdefault(source, _Measurement())
    if connections[database].in_atomic_block:
        transaction.on_commit(lambda: _save_unsaved(database), using=database)
    else:
        _save_unsaved(database)


def _save_unsaved(database: str) -> None:
    unsaved, _state.unsaved = _state.unsaved, {}
    for source, measurement in unsaved.items():
        save_measurement(source, measurement.facts(), database)

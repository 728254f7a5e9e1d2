"""The only one who deletes: what has ended longer ago than anybody wants to know, a batch at a time.

Of every report its last success and its last failure stay, however old they are, and with them the runs they were in;
so does whatever has not ended. Release snapshots are never pruned.

Each batch is a transaction of its own, so that who reads or refreshes meanwhile waits for none, and who is ended
in the middle has lost nothing: the next one goes on from there. Two at once take turns.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.errors import BadBatch, BadRetention, DeletingForbidden
from seeder.postgres import advisory_locks, contract, server_activity, sessions
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import durable_transaction
from seeder.services import event_logger
from seeder.services.stop_signal import StopSignal

MAX_DAYS, MAX_BATCH_ROWS = 36_500, 100_000
DEFAULT_BATCH_ROWS = 5_000  # rows: some 0.1 s, which nobody notices
_MAX_PAUSE = timedelta(seconds=1)

ProgressCallback = Callable[[int, int], object]  # of the history: so many rows of so many


@dataclass(frozen=True, kw_only=True, slots=True)
class PruneResult:
    """What has gone, or would."""

    days: int  # 0: everything is kept, and nothing was looked at
    cutoff: datetime | None = None  # what ended earlier was old
    old_rows: int = 0  # rows of the history that ended earlier
    kept_rows: int = 0  # of these the last success or the last failure of their report
    deleted_history: int = 0  # rows that are gone, as are the two below
    deleted_runs: int = 0
    deleted_parts: int = 0
    stopped_by: str | None = None  # what ended it before its time


@dataclass(frozen=True, kw_only=True, slots=True)
class _PrunedTable:
    """How to go through one table from its oldest row on."""

    table: str
    select_statement: str  # the named statement that says which rows come next, and whether each may go
    delete_statement: str
    smallest_key: str | int  # a primary key before all others
    delete_first: str | None = None  # what to delete before


_HISTORY = _PrunedTable(
    table="seeder_run_history", select_statement="next_history_rows", delete_statement="delete_history", smallest_key=0
)
_RUNS = _PrunedTable(table="seeder_run", select_statement="next_runs", delete_statement="delete_runs", smallest_key="")
_QUEUE = _PrunedTable(
    table="seeder_queued_refresh",
    select_statement="next_queue_parts",
    delete_statement="delete_queue_parts",
    smallest_key=0,
)
_METRICS = "seeder_run_metrics"


def prune(
    *,
    days: int | None = None,
    batch: int = DEFAULT_BATCH_ROWS,
    dry_run: bool = False,
    stop: StopSignal | None = None,
    on_progress: ProgressCallback = lambda *_: None,
) -> PruneResult:
    """Delete what ended more than so many days ago, or only count it; without `days`, as HISTORY_DAYS says.

    Raises `ConfigurationError`, `BadRetention`, `BadBatch`, `DeletingForbidden` or another `DatabaseError`.
    """
    if days is None:
        days = conf.load().history_days
    elif not 1 <= days <= MAX_DAYS:
        raise BadRetention(days=days, max_days=MAX_DAYS)
    if not 1 <= batch <= MAX_BATCH_ROWS:
        raise BadBatch(batch=batch, max_rows=MAX_BATCH_ROWS)
    if days == 0:
        return PruneResult(days=0)
    began = monotonic()
    with translate_database_errors(DEFAULT_DB_ALIAS):
        done = _Pruning(days, batch, stop or StopSignal(), dry_run=dry_run).prune(on_progress)
    if not dry_run:
        _log(done, round(monotonic() - began, 3))
    return done


def _log(result: PruneResult, seconds: float) -> None:
    gone = {"rows": result.deleted_history, "runs": result.deleted_runs, "parts": result.deleted_parts}
    event_logger.log_event(
        event_logger.INFO,
        "history_pruned",
        days=result.days,
        **gone,
        stopped_by=result.stopped_by,
        duration_seconds=seconds,
    )


class _Pruning:
    def __init__(self, days: int, batch: int, stop: StopSignal, *, dry_run: bool) -> None:
        self._days, self._batch, self._stop, self._dry_run = days, batch, stop, dry_run
        self._there = contract.tables_in_database(DEFAULT_DB_ALIAS).keys()
        self._before = sessions.server_time(DEFAULT_DB_ALIAS) - timedelta(days=days)

    def prune(self, on_progress: ProgressCallback) -> PruneResult:
        self._require_privileges()
        [(old, found)] = sessions.query(DEFAULT_DB_ALIAS, "expired_rows_and_last_results", {"before": self._before})
        kept = {row for row in found if row is not None}
        gone = dict.fromkeys((_HISTORY, _RUNS, _QUEUE), 0)
        for walk in gone:
            for number in self._batches(walk, kept) if walk is _HISTORY or walk.table in self._there else ():
                gone[walk] += number
                if walk is _HISTORY:
                    on_progress(gone[walk], old - len(kept))
        return PruneResult(
            days=self._days,
            cutoff=self._before,
            old_rows=old,
            kept_rows=len(kept),
            deleted_history=gone[_HISTORY],
            deleted_runs=gone[_RUNS],
            deleted_parts=gone[_QUEUE],
            stopped_by=self._stop.reason,
        )

    def _require_privileges(self) -> None:
        tables = [_METRICS, *(walk.table for walk in (_HISTORY, _RUNS, _QUEUE))]
        facts = {"schema": contract.SCHEMA, "tables": tables}
        forbidden = sessions.query(DEFAULT_DB_ALIAS, "tables_without_delete_privilege", facts)
        if forbidden:
            raise DeletingForbidden(tables=", ".join(table for table, _ in forbidden), role=forbidden[0][1])

    def _batches(self, table: _PrunedTable, protected_ids: Collection[int]) -> Iterator[int]:
        """How many rows each batch has deleted, or would have."""
        lasting = list(protected_ids)
        after: datetime | str = "-infinity"
        last = table.smallest_key
        while not self._stop.requested:
            began = monotonic()
            place = {"after": after, "last": last, "before": self._before, "batch_size": self._batch}
            with durable_transaction(DEFAULT_DB_ALIAS):
                advisory_locks.lock_prune(DEFAULT_DB_ALIAS)
                rows = sessions.query(DEFAULT_DB_ALIAS, table.select_statement, {**place, "protected_ids": lasting})
                keys = [key for key, _, may_go in rows if may_go and not (table is _HISTORY and key in protected_ids)]
                gone = len(keys) if self._dry_run else self._delete(table, {"keys": keys})
            yield gone
            if len(rows) < self._batch:
                return
            last, after, _ = rows[-1]
            self._yield_to_load(timedelta(seconds=monotonic() - began))

    def _delete(self, table: _PrunedTable, keys: Mapping[str, object]) -> int:
        also = ["delete_run_metrics"] if table is _HISTORY and _METRICS in self._there else []
        return len(sessions.query_batch(DEFAULT_DB_ALIAS, [*also, table.delete_statement], keys)[-1])

    def _yield_to_load(self, duration: timedelta) -> None:
        """As long as the batch took, if somebody else is at work on the server: half of it is enough for us."""
        if not self._dry_run and server_activity.active_query_count(DEFAULT_DB_ALIAS):
            self._stop.wait(min(duration, _MAX_PAUSE))

"""Deletes old history in batches. No other module deletes rows of the contract's tables.

The last success and the last failure of each report stay, with their runs, and so do rows that have not ended. Release
snapshots are never pruned. Each batch is a transaction of its own, so that readers and refreshes do not wait, and an
interrupted pruning loses nothing. Two processes take turns.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain import lock_keys
from seeder.errors import BadBatch, BadRetention, DeletingForbidden
from seeder.postgres import advisory_locks, contract, server_activity, sessions
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import atomic
from seeder.services.stop_signal import StopSignal
from seeder.services.structured_log import INFO, log_event

MAX_DAYS, MAX_BATCH_ROWS = 36_500, 100_000
DEFAULT_BATCH_ROWS = 5_000  # about 0.1 s
_MAX_PAUSE = timedelta(seconds=1)

ProgressCallback = Callable[[int, int], object]  # deleted rows of the history, and their expected total


@dataclass(frozen=True, kw_only=True, slots=True)
class PruneResult:
    """What was deleted, or would be deleted."""

    days: int  # 0: nothing is deleted
    cutoff: datetime | None = None  # rows that ended earlier are old
    old_rows: int = 0  # old rows of the history
    kept_rows: int = 0  # old rows that stay as the last success or failure of a report
    deleted_history: int = 0
    deleted_runs: int = 0
    deleted_parts: int = 0
    stopped_by: str | None = None


class _PrunedTable(NamedTuple):
    """A table that is pruned from its oldest row on."""

    name: str
    select_statement: str  # the next rows, and if each one may be deleted
    delete_statement: str
    smallest_key: str | int  # a primary key before all others


_HISTORY = _PrunedTable("seeder_run_history", STATEMENTS["next_history_rows"], STATEMENTS["delete_history"], 0)
_RUNS = _PrunedTable("seeder_run", STATEMENTS["next_runs"], STATEMENTS["delete_runs"], "")
_QUEUE = _PrunedTable("seeder_queued_refresh", STATEMENTS["next_queue_parts"], STATEMENTS["delete_queue_parts"], 0)
_NOTIFICATIONS = _PrunedTable(
    "seeder_notification", STATEMENTS["next_notifications"], STATEMENTS["delete_notifications"], 0
)
_OF_HISTORY = {
    "seeder_run_metrics": "delete_run_metrics",
    "seeder_check_result": "delete_check_results",
    "seeder_skip_decision": "delete_skip_decisions",
    "seeder_change_sample": "delete_change_samples",
}


def prune(
    *,
    days: int | None = None,
    batch: int = DEFAULT_BATCH_ROWS,
    dry_run: bool = False,
    stop: StopSignal | None = None,
    on_progress: ProgressCallback = lambda *_: None,
) -> PruneResult:
    """Delete what ended more than `days` ago (default: HISTORY_DAYS), or only count it.

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
    started = monotonic()
    with translate_database_errors(DEFAULT_DB_ALIAS):
        result = _Pruning(days, batch, stop or StopSignal(), dry_run=dry_run).prune(on_progress)
    if not dry_run:
        log_event(
            INFO,
            "history_pruned",
            days=days,
            rows=result.deleted_history,
            runs=result.deleted_runs,
            parts=result.deleted_parts,
            stopped_by=result.stopped_by,
            duration_seconds=round(monotonic() - started, 3),
        )
    return result


class _Pruning:
    def __init__(self, days: int, batch: int, stop: StopSignal, *, dry_run: bool) -> None:
        self._days, self._batch, self._stop, self._dry_run = days, batch, stop, dry_run
        self._existing = contract.tables_in_database(DEFAULT_DB_ALIAS).keys()
        self._cutoff = sessions.server_time(DEFAULT_DB_ALIAS) - timedelta(days=days)

    def prune(self, on_progress: ProgressCallback) -> PruneResult:
        self._require_privileges()
        [(old, last_results)] = sessions.query(
            DEFAULT_DB_ALIAS, STATEMENTS["expired_rows_and_last_results"], {"before": self._cutoff}
        )
        kept = {row for row in last_results if row is not None}
        deleted = dict.fromkeys((_HISTORY, _RUNS, _QUEUE, _NOTIFICATIONS), 0)
        for table in deleted:
            for number in self._batches(table, kept) if table is _HISTORY or table.name in self._existing else ():
                deleted[table] += number
                if table is _HISTORY:
                    on_progress(deleted[table], old - len(kept))
        return PruneResult(
            days=self._days,
            cutoff=self._cutoff,
            old_rows=old,
            kept_rows=len(kept),
            deleted_history=deleted[_HISTORY],
            deleted_runs=deleted[_RUNS],
            deleted_parts=deleted[_QUEUE],
            stopped_by=self._stop.reason,
        )

    def _require_privileges(self) -> None:
        tables = [*_OF_HISTORY, *(table.name for table in (_HISTORY, _RUNS, _QUEUE, _NOTIFICATIONS))]
        parameters = {"schema": contract.SCHEMA, "tables": tables, "privileges": ["DELETE"]}
        lacking = sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["missing_privileges"], parameters)
        if lacking:
            names = ", ".join(f"{contract.SCHEMA}.{table}" for table, *_ in lacking)
            raise DeletingForbidden(tables=names, role=lacking[0][-1])

    def _batches(self, table: _PrunedTable, protected_ids: Collection[int]) -> Iterator[int]:
        """Delete batch by batch, and yield the rows of each. A dry run only counts."""
        parameters = {"before": self._cutoff, "batch_size": self._batch, "protected_ids": list(protected_ids)}
        after: datetime | str = "-infinity"
        last = table.smallest_key
        while not self._stop.requested:
            started = monotonic()
            with atomic(durable=True):
                advisory_locks.lock(DEFAULT_DB_ALIAS, lock_keys.PRUNE)
                place = {"after": after, "last": last}
                rows = sessions.query(DEFAULT_DB_ALIAS, table.select_statement, parameters | place)
                keys = [key for key, _, is_old in rows if is_old and not (table is _HISTORY and key in protected_ids)]
                deleted = len(keys) if self._dry_run else self._delete(table, keys)
            yield deleted
            if len(rows) < self._batch:
                return
            last, after, _ = rows[-1]
            self._yield_to_load(timedelta(seconds=monotonic() - started))

    def _delete(self, table: _PrunedTable, keys: Collection[int | str]) -> int:
        of_history = {name: STATEMENTS[delete] for name, delete in _OF_HISTORY.items() if name in self._existing}
        statements = of_history.values() if table is _HISTORY else ()
        return len(sessions.query_batch(DEFAULT_DB_ALIAS, [*statements, table.delete_statement], {"keys": keys})[-1])

    def _yield_to_load(self, duration: timedelta) -> None:
        """Pause for the duration of a batch if other sessions are active."""
        if not self._dry_run and server_activity.active_query_count(DEFAULT_DB_ALIAS):
            self._stop.wait(min(duration, _MAX_PAUSE))

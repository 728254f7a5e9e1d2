"""The only writer of a run's metrics, which does nothing where there is no table for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain.outcomes import RefreshResult
from seeder.domain.refresh_costs import RefreshCost
from seeder.models import RunMetrics
from seeder.postgres import contract, refresh_cost_queries, transactions
from seeder.postgres.contract import OptionalTables

_TABLE = RunMetrics._meta.db_table.split(".")[1].strip('"')
_COLUMNS = [str(field.column) for field in RunMetrics._meta.concrete_fields if not field.primary_key]


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredRefresh:
    """One refresh, and the history rows that tell of it: as many as manifests share the view."""

    history_ids: tuple[int, ...]
    result: RefreshResult


class RefreshCostWriter:
    """Where the metrics of one run go. The catalog is asked once whether there is anywhere."""

    def __init__(self, tables: OptionalTables) -> None:
        self.missing = tables.unusable.get(_TABLE)  # why nothing is written; None while it is

    def write(self, measured: Iterable[MeasuredRefresh]) -> None:
        """Write everything that is known of these refreshes by now, in one statement, over what was known before.

        Called inside the refresh's own transaction, both commit together; what is only known after its commit, or at
        the end of the run, is written by another call for all of them. Whatever the table has against it ends here and
        in `missing`; only a transaction that is lost as a whole is raised.
        """
        rows = [] if self.missing else [_row(pk, one) for one in measured for pk in one.history_ids]
        if not rows:
            return
        written = transactions.attempt(
            DEFAULT_DB_ALIAS, lambda: refresh_cost_queries.save_costs(DEFAULT_DB_ALIAS, _COLUMNS, rows)
        )
        if isinstance(written, Error):
            self.missing = f"{contract.SCHEMA}.{_TABLE}: {str(written).splitlines()[0]}"


def _row(history_id: int, measured: MeasuredRefresh) -> Mapping[str, object]:
    """The columns of which something is known."""
    result, cost = measured.result, measured.result.cost
    return {
        "history_id": history_id,
        "mode": result.mode,
        "fell_back": result.fell_back,
        "attempts": result.attempts,
        "reason": result.failure and result.failure.reason,
        "sqlstate": result.failure and result.failure.sqlstate,
        "worker_number": cost.worker_number,
        "worker_wait_seconds": _seconds(cost.worker_wait),
        "throttle_wait_seconds": _seconds(cost.throttle_wait),
        "lock_wait_seconds": _seconds(cost.lock_wait),
        "cpu_seconds": _seconds(cost.cpu_time),
        "peak_memory_bytes": cost.peak_memory_bytes,
        **_statement_columns(cost),
        **_backend_columns(cost),
    }


def _statement_columns(cost: RefreshCost) -> Mapping[str, float]:
    statement = cost.statement
    if statement is None:
        return {}
    return {
        "statement_calls": statement.calls,
        "statement_total_ms": statement.total_exec_time / timedelta(milliseconds=1),
        "statement_mean_ms": statement.mean_exec_time / timedelta(milliseconds=1),
        "statement_rows": statement.rows,
        "shared_blocks_hit": statement.shared_blocks_hit,
        "shared_blocks_read": statement.shared_blocks_read,
        "shared_blocks_dirtied": statement.shared_blocks_dirtied,
        "shared_blocks_written": statement.shared_blocks_written,
        "temp_blocks_read": statement.temp_blocks_read,
        "temp_blocks_written": statement.temp_blocks_written,
        "statement_wal_bytes": statement.wal_bytes,
    }


def _backend_columns(cost: RefreshCost) -> Mapping[str, int]:
    backend = cost.backend
    if backend is None:
        return {}
    return {
        "backend_read_bytes": backend.read_bytes,
        "backend_write_bytes": backend.write_bytes,
        "backend_wal_bytes": backend.wal_bytes,
    }


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()

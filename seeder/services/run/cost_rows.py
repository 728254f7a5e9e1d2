"""The only writer of the optional table of refresh costs."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain.outcomes import RefreshResult
from seeder.domain.refresh_costs import BackendCost, StatementCost
from seeder.models import RunMetrics
from seeder.postgres import contract, refresh_cost_queries, transactions
from seeder.postgres.contract import OptionalTables

_TABLE = "seeder_run_metrics"
_COLUMNS = [str(field.column) for field in RunMetrics._meta.concrete_fields if not field.primary_key]


# A refresh with the primary keys of its history rows: one for each manifest of the view.
MeasuredRefresh = tuple[tuple[int, ...], RefreshResult]


class RefreshCostWriter:
    """Writes the costs of one run."""

    def __init__(self, tables: OptionalTables) -> None:
        self.missing = tables.unusable.get(_TABLE)  # why nothing is written; None if the table is usable

    def write(self, measured: Iterable[MeasuredRefresh]) -> None:
        """Write all known costs of these refreshes in one statement.

        An error of the table is kept in `missing`, and nothing more is written. Raises an error that ends the
        surrounding transaction.
        """
        rows = [] if self.missing else [_row(pk, result) for ids, result in measured for pk in ids]
        if not rows:
            return
        written = transactions.attempt(DEFAULT_DB_ALIAS, lambda: refresh_cost_queries.save_costs(_COLUMNS, rows))
        if isinstance(written, Error):
            self.missing = f"{contract.SCHEMA}.{_TABLE}: {str(written).splitlines()[0]}"


def _row(history_id: int, result: RefreshResult) -> Mapping[str, object]:
    """Return the columns with known values."""
    cost = result.cost
    return {
        "history_id": history_id,
        "mode": result.mode,
        "fell_back": result.fell_back,
        "attempts": result.attempts,
        "reason": result.failure and result.failure.reason,
        "sqlstate": result.failure and result.failure.sqlstate,
        "worker_number": cost.worker_number,
        "worker_wait_seconds": cost.worker_wait.total_seconds(),
        "throttle_wait_seconds": cost.throttle_wait.total_seconds(),
        "lock_wait_seconds": cost.lock_wait.total_seconds(),
        "cpu_seconds": None if cost.cpu_time is None else cost.cpu_time.total_seconds(),
        "peak_memory_bytes": cost.peak_memory_bytes,
        **(_statement_columns(cost.statement) if cost.statement else {}),
        **(_backend_columns(cost.backend) if cost.backend else {}),
    }


def _statement_columns(statement: StatementCost) -> Mapping[str, float]:
    counters = asdict(statement)
    millisecond = timedelta(milliseconds=1)
    return {
        "statement_total_ms": counters.pop("total_exec_time") / millisecond,
        "statement_mean_ms": statement.mean_exec_time / millisecond,
        **{name if "_blocks_" in name else f"statement_{name}": value for name, value in counters.items()},
    }


def _backend_columns(backend: BackendCost) -> Mapping[str, int]:
    return {f"backend_{name}": getattr(backend, name) for name in ("read_bytes", "write_bytes", "wal_bytes")}

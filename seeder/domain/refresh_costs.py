"""Waits and costs of a refresh. None means unknown, never zero."""

from dataclasses import dataclass, fields
from datetime import timedelta
from operator import attrgetter
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementCost:
    """Counters of pg_stat_statements for REFRESH of a view in one mode.

    Includes parallel workers.
    """

    calls: int  # successful ones, even if their transaction was rolled back later
    total_exec_time: float  # milliseconds, without waiting for the client
    rows: int
    shared_blocks_hit: int  # blocks of the server, usually 8 kB
    shared_blocks_read: int
    shared_blocks_dirtied: int
    shared_blocks_written: int
    temp_blocks_read: int
    temp_blocks_written: int
    wal_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BackendCost:
    """Bytes of one backend since it started, without parallel workers."""

    pid: int
    read_bytes: int  # from the operating system: its cache or the disk
    write_bytes: int  # pages of relations, also temporary ones, written or added to files; without WAL
    wal_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshCost:
    """Measurements of one refresh."""

    worker_number: int | None = None  # within its database, from 1
    worker_wait: timedelta = timedelta()  # ready, but every worker was busy
    throttle_wait: timedelta = timedelta()  # held by the start delay, the throttle or the circuit breaker
    lock_wait: timedelta = timedelta()  # for other runs, and in attempts that did not get a lock
    statement: StatementCost | None = None
    backend: BackendCost | None = None
    cpu_time: timedelta | None = None
    peak_memory_bytes: int | None = None  # largest sample
    rows_inserted: int | None = None  # a changed row is deleted and inserted; a plain refresh inserts all rows
    rows_deleted: int | None = None
    vacuum_time: timedelta | None = None  # of VACUUM after it; None if the view was not vacuumed


_NAMES = {kind: [one.name for one in fields(kind)] for kind in (StatementCost, BackendCost)}
_VALUES = {kind: attrgetter(*names) for kind, names in _NAMES.items()}


def counters(cost: StatementCost | BackendCost) -> dict[str, Any]:
    """Return the counters by name. `asdict` would copy each value, which takes ten times as long."""
    return dict(zip(_NAMES[type(cost)], _VALUES[type(cost)](cost), strict=True))


def add_statement_costs(one: StatementCost, other: StatementCost) -> StatementCost:
    """Add the counters of two entries."""
    return StatementCost(**{name: value + getattr(other, name) for name, value in counters(one).items()})


def statement_cost_delta(before: StatementCost | None, after: StatementCost | None) -> StatementCost | None:
    """Return the cost of a refresh from counters before and after it.

    `before` is None if there was no entry yet. Returns None if the entry was reset or evicted meanwhile, or if there
    was not exactly one call: then the difference is not the cost of this refresh alone.
    """
    if after is None:
        return None
    if before is None:
        return after if after.calls == 1 else None
    difference = _subtract(before, after)
    return StatementCost(**difference) if difference and difference["calls"] == 1 else None


def backend_cost_delta(before: BackendCost | None, after: BackendCost | None) -> BackendCost | None:
    """Return the difference. None if the backend changed or its counters were reset."""
    if before is None or after is None or before.pid != after.pid:
        return None
    difference = _subtract(before, after)
    return BackendCost(**difference | {"pid": after.pid}) if difference else None


def _subtract(before: StatementCost | BackendCost, after: StatementCost | BackendCost) -> dict[str, Any] | None:
    """Return the difference of each field, or None if one has decreased."""
    values = _VALUES[type(before)]
    difference = [new - old for old, new in zip(values(before), values(after), strict=True)]
    return None if min(difference) < 0 else dict(zip(_NAMES[type(before)], difference, strict=True))

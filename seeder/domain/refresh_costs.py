"""What a refresh waits for and what it costs the server. None is what nobody knows, and never zero."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementCost:
    """What pg_stat_statements has counted for the REFRESH of one view in one mode, parallel workers included."""

    calls: int  # that succeeded; a transaction that was rolled back later does not take it back
    total_exec_time: timedelta  # execution, without waiting for the client
    rows: int
    shared_blocks_hit: int  # blocks are the server's own, usually of 8 kB
    shared_blocks_read: int
    shared_blocks_dirtied: int
    shared_blocks_written: int
    temp_blocks_read: int
    temp_blocks_written: int
    wal_bytes: int

    @property
    def mean_exec_time(self) -> timedelta:
        return self.total_exec_time / self.calls


@dataclass(frozen=True, kw_only=True, slots=True)
class BackendCost:
    """What one backend has read and written since it started, without its parallel workers."""

    pid: int
    read_bytes: int  # asked of the operating system, be it from disk or from its cache
    write_bytes: int  # into relations, temporary ones too: pages written and pages that a file grew by; no WAL
    wal_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessCost:
    """A backend as its operating system sees it, without its parallel workers."""

    pid: int
    start_ticks: int  # clock ticks after the machine's start; with the pid it tells one process from all others
    cpu_time: timedelta  # user and system, since it started
    memory_bytes: int  # resident and private, at this moment


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshCost:
    """All that was measured of one refresh."""

    worker_number: int | None = None  # which one of its database, from 1 on
    worker_wait: timedelta = timedelta()  # ready, but all seats were taken
    throttle_wait: timedelta = timedelta()  # held back: by the pace, a busy server or an open circuit breaker
    lock_wait: timedelta = timedelta()  # for other runs, and in attempts that were refused a lock
    statement: StatementCost | None = None
    backend: BackendCost | None = None
    cpu_time: timedelta | None = None
    peak_memory_bytes: int | None = None  # the largest that was seen; nobody looks all the time


def add_statement_costs(one: StatementCost, other: StatementCost) -> StatementCost:
    """The two together."""
    return StatementCost(**_combine_fields(one, other, lambda a, b: a + b))


def statement_cost_delta(before: StatementCost | None, after: StatementCost | None) -> StatementCost | None:
    """What one refresh cost, from the figures before and after it; None before: there was no entry yet.

    None where the entry was reset or evicted meanwhile, so that a figure is smaller, and where there was not exactly
    one call: the difference is then not the cost of this refresh alone.
    """
    if after is None:
        return None
    if before is None:
        return after if after.calls == 1 else None
    difference = _combine_fields(before, after, lambda a, b: b - a)
    if difference["calls"] != 1 or _has_decreased(difference):
        return None
    return StatementCost(**difference)


def backend_cost_delta(before: BackendCost | None, after: BackendCost | None) -> BackendCost | None:
    """What a backend has read and written in between; None where the two are not of one backend, or where somebody
    has reset its figures."""
    if before is None or after is None or before.pid != after.pid:
        return None
    difference = _combine_fields(before, after, lambda a, b: b - a)
    return None if _has_decreased(difference) else BackendCost(**{**difference, "pid": after.pid})


def cpu_time_delta(before: ProcessCost | None, after: ProcessCost | None) -> timedelta | None:
    """The processor time that a backend has used in between; None where the two are not of one process."""
    if before is None or after is None or (before.pid, before.start_ticks) != (after.pid, after.start_ticks):
        return None
    return after.cpu_time - before.cpu_time


ServerCounters = StatementCost | BackendCost


def _combine_fields(one: ServerCounters, other: ServerCounters, combine: Callable[[Any, Any], Any]) -> dict[str, Any]:
    return {field.name: combine(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)}


def _has_decreased(difference: dict[str, Any]) -> bool:
    return any(value < type(value)() for value in difference.values())

"""What a refresh waits for and what it costs the server. None is what nobody knows, and never zero."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementCost:
    """What pg_stat_statements has counted for the REFRESH of one view in one mode, parallel workers included."""

    calls: int  # that succeeded; a transaction that was rolled back later does not take it back
    total: timedelta  # execution, without waiting for the client
    rows: int
    shared_blocks_hit: int  # blocks are the server's own, usually of 8 kB
    shared_blocks_read: int
    shared_blocks_dirtied: int
    shared_blocks_written: int
    temp_blocks_read: int
    temp_blocks_written: int
    wal_bytes: int

    @property
    def mean(self) -> timedelta:
        return self.total / self.calls


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
    began: int  # clock ticks after the machine's start; with the pid it tells one process from all others
    cpu: timedelta  # user and system, since it started
    memory_bytes: int  # resident and private, at this moment


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshCost:
    """All that was measured of one refresh."""

    seat: int | None = None  # which one of its database, from 1 on
    seat_wait: timedelta = timedelta()  # ready, but all seats were taken
    throttle_wait: timedelta = timedelta()  # held back: by the pace, a busy server or an open circuit breaker
    lock_wait: timedelta = timedelta()  # for other runs, and in attempts that were refused a lock
    statement: StatementCost | None = None
    backend: BackendCost | None = None
    cpu: timedelta | None = None
    peak_memory_bytes: int | None = None  # the largest that was seen; nobody looks all the time


def add(one: StatementCost, other: StatementCost) -> StatementCost:
    """The two together."""
    return StatementCost(**_each(one, other, lambda a, b: a + b))


def delta(before: StatementCost | None, after: StatementCost | None) -> StatementCost | None:
    """What one refresh cost, from the figures before and after it; None before: there was no entry yet.

    None where the entry was reset or evicted meanwhile, so that a figure is smaller, and where there was not exactly
    one call: the difference is then not the cost of this refresh alone.
    """
    if after is None:
        return None
    if before is None:
        return after if after.calls == 1 else None
    grown = _each(before, after, lambda a, b: b - a)
    if grown["calls"] != 1 or _any_shrank(grown):
        return None
    return StatementCost(**grown)


def backend_delta(before: BackendCost | None, after: BackendCost | None) -> BackendCost | None:
    """What a backend has read and written in between; None where the two are not of one backend, or where somebody
    has reset its figures."""
    if before is None or after is None or before.pid != after.pid:
        return None
    grown = _each(before, after, lambda a, b: b - a)
    return None if _any_shrank(grown) else BackendCost(**{**grown, "pid": after.pid})


def cpu_delta(before: ProcessCost | None, after: ProcessCost | None) -> timedelta | None:
    """The processor time that a backend has used in between; None where the two are not of one process."""
    if before is None or after is None or (before.pid, before.began) != (after.pid, after.began):
        return None
    return after.cpu - before.cpu


Value = StatementCost | BackendCost


def _each(one: Value, other: Value, combine: Callable[[Any, Any], Any]) -> dict[str, Any]:
    return {field.name: combine(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)}


def _any_shrank(grown: dict[str, Any]) -> bool:
    return any(value < type(value)() for value in grown.values())

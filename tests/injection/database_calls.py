"""Counts the database calls of a run, and lets one fail.

Every round trip of psycopg, including BEGIN and COMMIT, uses `Connection.wait`, and every connection of Django starts
with `psycopg.connect`.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, current_thread
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.pq import TransactionStatus

from tests.conftest import CHECKOUT, another_session
from tests.injection.injected_failures import (
    REFRESH_RUN,
    Connection,
    FailureInjector,
    FailureKind,
    LockedWork,
    RoundTrip,
    cut,
)

RUN, _WORKER = "run", "worker-"  # names of the threads of a run
_APPS = (f"{CHECKOUT}/seeder/", f"{CHECKOUT}/data_pipeline/")
_CLOSED_PORT = {"port": 1}  # a port without a listener


@dataclass
class DatabaseCalls:
    """The database calls of a run, by place, and the failed one."""

    kind: FailureKind | None = None
    target_number: int = 0
    site_prefix: str = ""  # only calls from places with this prefix count
    sites: Counter[str] = field(default_factory=Counter)
    failed: str | None = None  # the place of the failed call
    is_in_worker: bool = False  # True if the call was part of a view's refresh, False for the bookkeeping of the run
    _refusals: int = 0
    _lock: Lock = field(default_factory=Lock)

    @property
    def is_gone(self) -> bool:
        return self.kind is FailureKind.SERVER_GONE and self.failed is not None

    def count(self, site_prefix: str = "") -> int:
        return sum(count for site, count in self.sites.items() if site.startswith(site_prefix))

    def is_due(self, site: str, *, can_fail: bool = True) -> bool:
        """Count a call. Return True if it fails: the call of the target number, or the first one after it that can."""
        with self._lock:
            self.sites[site] += 1
            is_target = site.startswith(self.site_prefix) and self.target_number <= self.count(self.site_prefix)
            if self.kind is None or self.failed or not can_fail or not is_target:
                return False
            self.failed, self.is_in_worker = site, current_thread().name.startswith(_WORKER)
            self._refusals = 1 + self.target_number % 2 if self.kind is FailureKind.RECONNECT_REFUSED else 0
            return True

    def is_refused(self) -> bool:
        with self._lock:
            self._refusals -= 1
            return self._refusals >= 0 or self.is_gone


@contextmanager
def counted_calls(
    kind: FailureKind | None = None, number: int = 0, site_prefix: str = "", *, work: LockedWork = REFRESH_RUN
) -> Iterator[DatabaseCalls]:
    """Count the calls of some work in the context, one of which fails."""
    calls, wait, connect = (
        DatabaseCalls(kind=kind, target_number=number, site_prefix=site_prefix),
        psycopg.Connection.wait,
        psycopg.connect,
    )

    def counting_wait(connection: Connection, call: RoundTrip, *args: Any, **kwargs: Any) -> Any:
        if not _is_run_thread() or not _is_round_trip(connection, call):
            return wait(connection, call, *args, **kwargs)
        if calls.is_gone:
            cut(connection)
        can = kind is not None and failures.can_fail(kind, connection)
        if calls.is_due(_site(_first_words(call)), can_fail=can) and kind is not None:
            return failures.fail(kind, connection, call)
        return wait(connection, call, *args, **kwargs)

    def counting_connect(*args: Any, **kwargs: Any) -> Connection:
        if not _is_run_thread():
            return connect(*args, **kwargs)
        due = calls.is_due(_site("connect"))
        if due and kind in {FailureKind.ALL_TERMINATED, FailureKind.RUN_LOCK_LOST}:
            failures.fail_other_connections(kind)
        elif calls.is_refused() or due:
            kwargs |= _CLOSED_PORT
        return connect(*args, **kwargs)

    with another_session() as own_session, pytest.MonkeyPatch.context() as patch:
        failures = FailureInjector(wait, own_session, work)
        patch.setattr(psycopg.Connection, "wait", counting_wait)
        patch.setattr(psycopg, "connect", counting_connect)
        yield calls
        failures.finish()


def _is_run_thread() -> bool:
    return current_thread().name.startswith((RUN, _WORKER))


def _is_round_trip(connection: Connection, call: Any) -> bool:
    """Return whether a call has a round trip.

    Some calls only use the state of the connection.
    """
    match call.__name__:
        case "_set_autocommit_gen" | "_set_isolation_level_gen" | "_set_read_only_gen":
            return False
        case "_commit_gen" | "_rollback_gen":
            return bool(connection.pgconn.transaction_status != TransactionStatus.IDLE)
    return True


def _first_words(call: Any) -> str:
    """Return the statement's first words, which distinguish calls of one place."""
    query = call.gi_frame.f_locals.get("query", call.__name__.strip("_").removesuffix("_gen"))
    text = query.as_string() if isinstance(query, sql.Composable) else str(query)
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    return re.sub(r"\W+\w*\d\w*\W+", "", " ".join(" ".join(lines).split()[:2]))


def _site(statement_words: str) -> str:
    """Return the place of a call: the two innermost frames in the app, except those of sessions and transactions."""
    frame, names = sys._getframe(2), list[str]()
    while frame.f_back is not None and len(names) < 2:
        path = frame.f_code.co_filename
        if path.startswith(_APPS) and not path.endswith(("/sessions.py", "/transactions.py")):
            names.append(f"{path.removeprefix(f'{CHECKOUT}/')}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join([statement_words, *names])

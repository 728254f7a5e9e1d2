"""Counts the database calls of a run, over all its threads, and lets one of them fail.

Every round trip of psycopg goes through `Connection.wait`, those of BEGIN and COMMIT too, and every connection of
Django's begins with `psycopg.connect`.
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
from tests.injection.failures import Connection, Failures, Kind, RoundTrip, cut

RUN = "run"  # how the thread of a run is called; those of its seats begin with "seat-"
_APP = str(CHECKOUT / "seeder") + "/"
_NOWHERE = {"port": 1}  # nobody listens there


@dataclass
class Calls:
    """The database calls of a run, by the place they came from, and the one that failed."""

    kind: Kind | None = None
    at: int | str = 0  # the number of the call, or where it comes from
    sites: Counter[str] = field(default_factory=Counter)
    failed: str | None = None  # from where
    _refusals: int = 0
    _lock: Lock = field(default_factory=Lock)

    @property
    def is_gone(self) -> bool:
        return self.kind is Kind.GONE and self.failed is not None

    def is_due(self, site: str, *, can: bool = True) -> bool:
        """Count a call; whether it is the one to fail: the k-th or the first one after it that can, or the first one
        from a place."""
        with self._lock:
            self.sites[site] += 1
            is_it = site == self.at if isinstance(self.at, str) else self.at <= self.sites.total()
            if self.kind is None or self.failed or not can or not is_it:
                return False
            self.failed = site
            self._refusals = 1 + self.sites.total() % 3 if self.kind is Kind.REFUSED else 0
            return True

    def is_refused(self) -> bool:
        with self._lock:
            self._refusals -= 1
            return self._refusals >= 0 or self.is_gone


@contextmanager
def counted(kind: Kind | None = None, at: int | str = 0) -> Iterator[Calls]:
    """Count the calls inside; one of them fails in this way."""
    calls, wait, connect = Calls(kind=kind, at=at), psycopg.Connection.wait, psycopg.connect

    def waits(connection: Connection, call: RoundTrip, *args: Any, **kwargs: Any) -> Any:
        if not _is_the_run_s() or not _is_round_trip(connection, call):
            return wait(connection, call, *args, **kwargs)
        if calls.is_gone:
            cut(connection)
        can = kind is not None and failures.can(kind, connection)
        if calls.is_due(_site(_words(call)), can=can) and kind is not None:
            return failures.fail(kind, connection, call)
        return wait(connection, call, *args, **kwargs)

    def connects(*args: Any, **kwargs: Any) -> Connection:
        if not _is_the_run_s():
            return connect(*args, **kwargs)
        due = calls.is_due(_site("connect"))
        if due and kind in {Kind.RESTART, Kind.TAKEN_FOR_DEAD}:
            failures.fail_elsewhere(kind)
        elif calls.is_refused() or due:
            kwargs |= _NOWHERE
        return connect(*args, **kwargs)

    with another_session() as somebody, pytest.MonkeyPatch.context() as patch:
        failures = Failures(wait, somebody)
        patch.setattr(psycopg.Connection, "wait", waits)
        patch.setattr(psycopg, "connect", connects)
        yield calls
        failures.end()


def _is_the_run_s() -> bool:
    return current_thread().name.startswith((RUN, "seat-"))


def _is_round_trip(connection: Connection, call: Any) -> bool:
    """Some calls only ask the connection itself."""
    match call.__name__:
        case "_set_autocommit_gen":
            return False
        case "_commit_gen" | "_rollback_gen":
            return bool(connection.pgconn.transaction_status != TransactionStatus.IDLE)
    return True


def _words(call: Any) -> str:
    """The first words of the statement, to tell the calls of one place apart."""
    query = call.gi_frame.f_locals.get("query", call.__name__.strip("_").removesuffix("_gen"))
    text = query.as_string() if isinstance(query, sql.Composable) else str(query)
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    return re.sub(r"\W+\w*\d\w*\W+", "", " ".join(" ".join(lines).split()[:2]))


def _site(words: str) -> str:
    """From where in the app the call comes: the two innermost of its own frames that are no mere passage."""
    frame, names = sys._getframe(2), list[str]()
    while frame.f_back is not None and len(names) < 2:
        path = frame.f_code.co_filename
        if path.startswith(_APP) and not path.endswith("/sessions.py"):
            names.append(f"{path.removeprefix(_APP)}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join([words, *names])

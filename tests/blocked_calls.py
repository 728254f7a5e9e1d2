"""Calls that wait for a lock of another session."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from django.db import connections

from tests.conftest import sql
from tests.polling import eventually

Result = TypeVar("Result")
BLOCKED_BY = "SELECT pid FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"  # the pid of the holder


@contextmanager
def blocked_call(holder: "psycopg.Connection[Any]", call: Callable[[], Result]) -> "Iterator[Future[Result]]":
    """Start a call in another thread. Enter the block when it waits for a lock of the holder, or has ended."""

    def run() -> Result:
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(run)
        eventually(lambda: future.done() or sql(BLOCKED_BY, holder.info.backend_pid))
        yield future

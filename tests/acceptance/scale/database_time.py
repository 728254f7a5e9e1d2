"""What an action costs the database, measured at psycopg's connections.

On the machine of the server it is the time on the CPU of the server's processes, which other processes hardly change.
Otherwise it is the time from sending a statement to its complete result.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import psycopg
import pytest

from tests.polling import eventually


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The database's part in an action."""

    statements: int
    milliseconds: float  # of the CPU if it is known


def measure(action: Callable[[], object], *, with_cpu: bool = True) -> Cost:
    """Run an action once. Statements count that Django's cursors send, and those that bypass Django.

    Without the time on the CPU, the test waits for no idle process after each statement.
    """
    cpu_seconds = _cpu_seconds if with_cpu else lambda _: None
    waited, statements = 0.0, 0
    begun: dict[psycopg.Connection[Any], float | None] = {}
    ended: dict[psycopg.Connection[Any], float | None] = {}
    wait, execute = psycopg.Connection.wait, psycopg.Cursor.execute

    def timed_wait(*arguments: Any, **options: Any) -> Any:
        nonlocal waited
        start = perf_counter()
        try:
            return wait(*arguments, **options)
        finally:
            waited += perf_counter() - start

    def counted_execute(cursor: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal statements
        if cursor.connection not in begun:
            begun[cursor.connection] = cpu_seconds(cursor.connection)
        result = execute(cursor, *arguments, **options)
        ended[cursor.connection] = cpu_seconds(cursor.connection)
        statements += len(cursor._results)  # a message can have several statements
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Connection, "wait", timed_wait)
        patch.setattr(psycopg.Cursor, "execute", counted_execute)
        action()
    used = [last - first for first, last in zip(begun.values(), ended.values(), strict=True) if first and last]
    seconds = sum(used) if len(used) == len(begun) else waited
    return Cost(statements=statements, milliseconds=1000 * seconds)


def _cpu_seconds(session: "psycopg.Connection[Any]") -> float | None:
    """Return what the server's process of a connection used, or None if it is elsewhere."""
    if session.closed or not session.info.host.startswith("/"):
        return None
    process = Path(f"/proc/{session.info.backend_pid}")
    try:
        # The time is complete when the process waits for the next statement.
        eventually(lambda: (process / "stat").read_text("utf-8").rpartition(")")[2].split()[0] == "S")
        used, *_ = (process / "schedstat").read_text("ascii").split()
    except OSError:
        return None
    return int(used) / 1e9


def median_cost(action: Callable[[], object], *, rounds: int) -> Cost:
    """Run an action several times, the first time without measuring its time.

    With one round, only its statements matter.
    """
    costs = [measure(action, with_cpu=rounds > 1) for _ in range(rounds + (rounds > 1))]
    return Cost(
        statements=max(cost.statements for cost in costs),
        milliseconds=median(cost.milliseconds for cost in costs[rounds > 1 :]),
    )

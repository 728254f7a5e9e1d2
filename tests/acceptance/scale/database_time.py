"""What an action costs the database, measured at psycopg's connections."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import psycopg
import pytest


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The database's part in an action."""

    statements: int
    milliseconds: float  # from sending a statement to its complete result, summed


def measure(action: Callable[[], object]) -> Cost:
    """Run an action once. Statements count that Django's cursors send, and those that bypass Django."""
    spent, statements = 0.0, 0
    wait, execute = psycopg.Connection.wait, psycopg.Cursor.execute

    def timed_wait(*arguments: Any, **options: Any) -> Any:
        nonlocal spent
        begun = perf_counter()
        try:
            return wait(*arguments, **options)
        finally:
            spent += perf_counter() - begun

    def counted_execute(cursor: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal statements
        result = execute(cursor, *arguments, **options)
        statements += len(cursor._results)  # a message can have several statements
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Connection, "wait", timed_wait)
        patch.setattr(psycopg.Cursor, "execute", counted_execute)
        action()
    return Cost(statements=statements, milliseconds=1000 * spent)


def median_cost(action: Callable[[], object], *, rounds: int) -> Cost:
    """Run an action several times, the first time without measuring its time, if it is not the only one."""
    costs = [measure(action) for _ in range(rounds + (rounds > 1))]
    return Cost(
        statements=max(cost.statements for cost in costs),
        milliseconds=median(cost.milliseconds for cost in costs[rounds > 1 :]),
    )

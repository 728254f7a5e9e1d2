"""The modes that `auto` chooses, against the better ones: python -m bench.probes.time_modes ROUNDS

Twin views are refreshed in both modes, in turns in one session. The app's rule chooses by the history of what it chose
before. The better mode of a cell is plain if at most a tenth of its plain refreshes kept readers waiting longer than
the budget, otherwise concurrent. No rule could choose for each refresh by how long that very one will take.
"""

import json
import random
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import psycopg

from bench.workloads.modes import CHURNS, SIZES, change, create_twins
from seeder.domain.mode_predictor import PastRefresh, RefreshMode, learn_scale
from seeder.domain.refresh_mode import ModeFacts, ReaderLimits, choose_mode

BUDGET = timedelta(milliseconds=200)
_CPU = "SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint / 1e9"  # seconds; needs a superuser
_COMMANDS = {
    RefreshMode.PLAIN: b"REFRESH MATERIALIZED VIEW public.plain",
    RefreshMode.CONCURRENT: b"REFRESH MATERIALIZED VIEW CONCURRENTLY public.concurrent",
}
_WRITTEN = "SELECT pg_stat_get_tuples_inserted('public.concurrent'::regclass)"


def main() -> None:
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("SET max_parallel_workers_per_gather = 0")
        connection.execute("SET max_parallel_maintenance_workers = 0")
        cells = measure(connection, sizes=SIZES, churns=CHURNS, rounds=int(sys.argv[1]), budget=BUDGET)
    print(json.dumps({"cells": cells}))


def measure(
    connection: "psycopg.Connection[Any]",
    *,
    sizes: Sequence[int],
    churns: Sequence[int],
    rounds: int,
    budget: timedelta,
) -> list[dict[str, float]]:
    """Return one row for each size and churn. CPU is in seconds, and all figures are those of the measured rounds."""
    cells = []
    for rows in sizes:
        create_twins(connection, rows)
        cells += [_measure_cell(connection, rows, churn, rounds, budget) for churn in churns]
    return cells


def _measure_cell(
    connection: "psycopg.Connection[Any]", rows: int, churn: int, rounds: int, budget: timedelta
) -> dict[str, float]:
    past: list[PastRefresh] = []
    totals = dict.fromkeys(("plain", "concurrent", "auto"), 0.0)
    counts = dict.fromkeys(("plain_chosen", "too_long", "plain_too_long", "rounds"), 0)
    for number in range(rounds + 1):
        change(connection, churn, seed=number * 7919 + churn)
        measured = {mode: _refresh(connection, mode, rows) for mode in random.sample([*RefreshMode], 2)}
        scale = learn_scale(past)
        facts = ModeFacts(past=tuple(past), scale=1.0 if scale is None else scale)
        chosen = choose_mode(facts, ReaderLimits(budget=budget), datetime.now(UTC)).mode
        past.insert(0, measured[chosen][1])
        connection.execute("VACUUM public.concurrent")
        if number == 0:  # without history
            continue
        is_short = measured[RefreshMode.PLAIN][1].duration <= budget
        for mode in RefreshMode:
            totals[mode] += measured[mode][0]
        totals["auto"] += measured[chosen][0]
        counts["plain_chosen"] += chosen is RefreshMode.PLAIN
        counts["too_long"] += chosen is RefreshMode.PLAIN and not is_short
        counts["plain_too_long"] += not is_short
        counts["rounds"] += 1
    better = RefreshMode.PLAIN if counts["plain_too_long"] <= rounds / 10 else RefreshMode.CONCURRENT
    totals["better"] = totals[better]
    return {"rows": rows, "churn": churn, **{name: round(value, 4) for name, value in totals.items()}, **counts}


def _refresh(connection: "psycopg.Connection[Any]", mode: RefreshMode, rows: int) -> tuple[float, PastRefresh]:
    """Refresh one of the twins. Return the CPU seconds of the backend, and the refresh as the history has it."""
    before, written, started = _number(connection, _CPU), _number(connection, _WRITTEN), perf_counter()
    connection.execute(_COMMANDS[mode])
    duration = timedelta(seconds=perf_counter() - started)
    cpu = _number(connection, _CPU) - before
    connection.execute("SELECT pg_stat_force_next_flush()")
    changed = int(_number(connection, _WRITTEN) - written) if mode is RefreshMode.CONCURRENT else None
    return cpu, PastRefresh(mode=mode, duration=duration, rows=rows, rows_inserted=changed, rows_deleted=changed)


def _number(connection: "psycopg.Connection[Any]", query: str) -> float:
    [(value,)] = connection.execute(query.encode()).fetchall()
    return float(value)


if __name__ == "__main__":
    main()

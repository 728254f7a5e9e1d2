"""The plain pool with the app's statements: the minimum cost of a locked, limited and recorded refresh.

    python -m bench.contenders.recording WORKERS WORKLOAD.json

Only the app's SQL is used; nothing is planned, decided, measured or displayed.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic

import psycopg
from psycopg import sql

from seeder.postgres.named_statements import STATEMENTS

RUN, _REQUESTED_AT = "bench", datetime.now(UTC)
_NAMES = ("pin_transactions", "set_lock_wait", "lock", "apply_limits", "view_before_refresh", "refreshes_by_other_runs")
_LOCK = 1 + _NAMES.index("lock")  # its result, after that of BEGIN
_FIRST_STATEMENTS = "\n".join(["BEGIN;", *(STATEMENTS[name] for name in _NAMES)])
_LIMITS = {"lock_timeout": 2000, "statement_timeout": 0, "parallel_workers": None, "application_name": RUN}
_MEASURED_BY_THE_SERVER = dict.fromkeys(("rows", "bytes", "finished", "memory", "cpu_seconds"))
_BEFORE = {"counted": False, "inserted_before": 0, "deleted_before": 0}


def main() -> None:
    workers, workload = int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
    started_at = monotonic()
    queue = SimpleQueue[tuple[int, str]]()
    for row in _open(workload["views"]):
        queue.put(row)
    with ThreadPoolExecutor(workers) as threads:
        for work in [threads.submit(_work, queue) for _ in range(workers)]:
            work.result()
    print(json.dumps({"inner": monotonic() - started_at}))


def _open(names: list[str]) -> list[tuple[int, str]]:
    """Insert history rows. Return their ids with the names of their views."""
    tables = [f"reporting.{name}" for name in names]
    texts = {f"{column}s": ["bench"] * len(names) for column in ("report_name", "agency_slug")}
    numbers = {"manifest_ids": list(range(len(names))), "agency_ids": [1] * len(names)}
    rows = {"table_names": tables, "report_types": ["custom"] * len(names), **texts, **numbers}
    with psycopg.connect() as connection, psycopg.ClientCursor(connection) as cursor:
        opened = cursor.execute(STATEMENTS["insert_pending_rows"], {"run": RUN, **rows}).fetchall()
    return [(pk, names[number]) for pk, _, number in opened]


def _work(queue: "SimpleQueue[tuple[int, str]]") -> None:
    with psycopg.connect(autocommit=True) as connection:
        while True:
            try:
                pk, name = queue.get_nowait()
            except Empty:
                return
            _refresh(connection, pk, name)


def _refresh(connection: "psycopg.Connection[tuple[object, ...]]", pk: int, name: str) -> None:
    view = {"schema": "reporting", "name": name, "key": f"seeder.view reporting.{name}", "lock_wait": 2000}
    names = [f"reporting.{name}"]
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute(
            _FIRST_STATEMENTS, {**_LIMITS, **view, "names": names, "after": _REQUESTED_AT, "excluded_run": RUN}
        )
        for _ in range(_LOCK):
            cursor.nextset()
        [(*_, started)] = cursor.fetchall()
        cursor.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier("reporting", name)))
        row = {"run": RUN, "ids": [pk], "names": names, "started": started, "skipped": False, **view}
        cursor.execute(STATEMENTS["mark_succeeded"], {**row, **_MEASURED_BY_THE_SERVER, **_BEFORE})
        cursor.fetchall()
        cursor.execute("COMMIT")


if __name__ == "__main__":
    main()

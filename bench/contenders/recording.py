"""The plain pool with the app's statements: the minimum cost of a locked, limited and recorded refresh.

    python -m bench.contenders.recording WORKERS WORKLOAD.json

Only the app's SQL is used; nothing is planned, decided, measured or displayed.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

import psycopg
from psycopg import sql

from seeder.postgres.named_statements import STATEMENTS

_RUN, _REQUESTED_AT = "bench", datetime.now(UTC)
_NAMES = ("apply_limits", "lock", "relation_state", "refreshes_by_other_runs")
_FIRST_STATEMENTS = "\n".join(["BEGIN;", *(STATEMENTS[name] for name in _NAMES)])
_LIMITS = {"lock_timeout": 2000, "statement_timeout": 0, "parallel_workers": None, "application_name": _RUN}


def main() -> None:
    workers, workload = int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
    started_at = monotonic()
    queue = SimpleQueue[tuple[int, str]]()
    for row in _open(workload["views"]):
        queue.put(row)
    threads = [Thread(target=_work, args=(queue,)) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"inner": monotonic() - started_at}))


def _open(names: list[str]) -> list[tuple[int, str]]:
    """Insert history rows. Return their ids with the names of their views."""
    tables = [f"reporting.{name}" for name in names]
    texts = {f"{column}s": ["bench"] * len(names) for column in ("report_name", "agency_slug")}
    numbers = {"manifest_ids": list(range(len(names))), "agency_ids": [1] * len(names)}
    rows = {"table_names": tables, "report_types": ["custom"] * len(names), **texts, **numbers}
    with psycopg.connect() as connection, psycopg.ClientCursor(connection) as cursor:
        opened = cursor.execute(STATEMENTS["insert_pending_rows"], {"run": _RUN, **rows}).fetchall()
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
    view = {"schema": "reporting", "name": name, "key": f"seeder.view reporting.{name}"}
    names = [f"reporting.{name}"]
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute(_FIRST_STATEMENTS, {**_LIMITS, **view, "names": names, "after": _REQUESTED_AT, "run": _RUN})
        for _ in range(2):  # skip the results of BEGIN and the limits
            cursor.nextset()
        [(_, started)] = cursor.fetchall()
        cursor.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier("reporting", name)))
        unmeasured = dict.fromkeys(("rows", "bytes", "finished", "memory", "cpu_seconds", "notes"))
        cursor.execute(
            STATEMENTS["mark_succeeded"],
            {"run": _RUN, "ids": [pk], "names": names, "started": started, **view, **unmeasured},
        )
        cursor.fetchall()
        cursor.execute("COMMIT")


if __name__ == "__main__":
    main()

"""The server's memory for an exact snapshot: python -m bench.probes.snapshot_memory ROWS

The view has seven columns, five of them with almost only different values. The memory is the private memory of the
capture's sessions and their parallel workers together, sampled. Needs Linux, a superuser, and an empty database with
the contract's tables.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import django

_VIEW = "reporting.large"
_QUERY = """
    SELECT n AS id, 'order ' || md5(n::text) AS name, (hashint8(n)::bigint & 16777215) / 100.0 AS price,
        timestamptz '2020-01-01Z' + n * interval '1.5 s' AS at, hashint8(n)::double precision AS share,
        n % 1000 AS kind, 'x' || n % 7 AS flag
    FROM generate_series(1, {rows}::bigint) AS n
"""
# Shared buffers are not RssAnon. A session that ended meanwhile has no file.
_PRIVATE_MEMORY = """
    SELECT coalesce(sum(substring(pg_read_file('/proc/' || pid || '/status', 0, 4096, true)
        FROM 'RssAnon:\\s+(\\d+) kB')::bigint), 0)
    FROM pg_stat_activity
    WHERE application_name LIKE 'seeder snapshot %' AND datname = current_database()
"""
_SPILLED = "SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()"
_INTERVAL = 0.02  # seconds between samples


def main() -> None:
    django.setup()
    create_view(int(sys.argv[1]))
    print(json.dumps(measure()))


def create_view(rows: int) -> None:
    """Create the view and its manifest."""
    from seeder.models import CustomReportManifest

    query = _QUERY.format(rows=rows)
    _execute(f"CREATE MATERIALIZED VIEW {_VIEW} AS {query}")
    _execute(f"ANALYZE {_VIEW}")
    CustomReportManifest.objects.create(
        table_name=_VIEW,
        report_name="view",
        agency_id=1,
        agency_slug="bench",
        query=query,
        database_id=1,
        enabled=True,
    )


def measure() -> dict[str, float]:
    """Capture the view. Return the seconds, the peak of the memory and the size of temporary files, in MiB."""
    from seeder.services.snapshots.release_snapshots import capture_release_snapshot

    samples: list[int] = []
    spilled, started = _query(_SPILLED), time.perf_counter()
    with _sampled(samples):
        snapshot = capture_release_snapshot(_VIEW, "memory", top_values_columns=["id", "name", "price", "at", "share"])
    return {
        "rows": snapshot.statistics.row_count,
        "seconds": time.perf_counter() - started,
        "memory_mb": max(samples) / 1024,
        "spilled_mb": (_query(_SPILLED) - spilled) / 2**20,
    }


@contextmanager
def _sampled(samples: list[int]) -> Iterator[None]:
    """Append a sample in KiB at every interval, until the end of the block."""
    from django.db import connections

    is_done = Event()

    def sample() -> None:
        try:
            while not is_done.wait(_INTERVAL):
                samples.append(_query(_PRIVATE_MEMORY))
        finally:
            connections.close_all()

    thread = Thread(target=sample)
    thread.start()
    try:
        yield
    finally:
        is_done.set()
        thread.join()


def _query(statement: str) -> int:
    [(value,)] = _execute(statement)
    return int(value)


def _execute(statement: str) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


if __name__ == "__main__":
    main()

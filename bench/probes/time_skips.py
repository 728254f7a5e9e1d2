"""The cost of skips: python -m bench.probes.time_skips TABLES ROWS ROUNDS

Each table has one view, so its rows are counted for that view alone. Runs refresh all with a part of the tables
changed. The cost is the CPU of all server processes. Needs Linux, a superuser, and an empty database with the
contract's tables.
"""

import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from seeder.domain.outcomes import RunSummary

_CPU = f"""
    SELECT sum(fields[12]::numeric + fields[13]::numeric + fields[14]::numeric + fields[15]::numeric)
        / {os.sysconf("SC_CLK_TCK")}
    FROM (VALUES ('self'), (split_part(pg_read_file('postmaster.pid'), E'\\n', 1))) AS process (id)
    CROSS JOIN string_to_array(
        regexp_replace(pg_read_file('/proc/' || id || '/stat'), '^.*\\) ', ''), ' '
    ) AS fields
"""
_TABLE = """
    CREATE TABLE reporting.t{number} AS
    SELECT i AS id, date '2024-01-01' + i % 700 AS day, (i % 977)::numeric AS amount, md5(i::text) AS txt
    FROM generate_series(1, {rows}) AS i
"""
_VIEW = (
    "SELECT day, count(DISTINCT txt) AS texts, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS median"
    " FROM reporting.t{number} GROUP BY 1"
)


def main() -> None:
    django.setup()
    tables, rows, rounds = (int(argument) for argument in sys.argv[1:])
    print(json.dumps(measure(tables=tables, rows=rows, rounds=rounds)))


def measure(*, tables: int, rows: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Return CPU seconds and skipped views of each round's runs. Those of a round follow each other, as pairs."""
    from seeder.models import CustomReportManifest

    for number in range(tables):
        _execute(_TABLE.format(number=number, rows=rows))
        CustomReportManifest.objects.create(
            table_name=f"reporting.v{number}",
            report_name="view",
            agency_id=1,
            agency_slug="bench",
            query=_VIEW.format(number=number),
            database_id=1,
            enabled=True,
        )
    _execute("VACUUM ANALYZE")
    _execute_run(), _execute_run()  # created, and recorded
    cells: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for name, run in _round(tables):
            cells.setdefault(name, []).append(run)
    return cells


def _round(tables: int) -> Iterator[tuple[str, dict[str, float]]]:
    yield "nothing changed, takes proofs", _run()
    yield "nothing changed", _run()
    _change(max(1, tables // 20))
    yield "5 % changed", _run()
    _execute_run()  # the changed one takes a proof again
    _execute("SET track_counts = off")
    _change(tables)
    _execute("RESET track_counts")
    yield "all changed, the statistics miss it", _run()
    os.environ["SEEDER_SKIP_UNCHANGED"] = "false"
    _change(tables)
    yield "all changed, skips are off", _run()
    del os.environ["SEEDER_SKIP_UNCHANGED"]
    _change(tables)
    yield "all changed", _run()


def _change(tables: int) -> None:
    for number in range(tables):
        _execute(f"UPDATE reporting.t{number} SET amount = amount + 1 WHERE id = 1")


def _run() -> dict[str, float]:
    before = _cpu()
    summary = _execute_run()
    return {"cpu": round(_cpu() - before, 2), "skipped": summary.skipped, "failed": summary.failed}


def _execute_run() -> "RunSummary":
    from seeder.domain.refresh_requests import AllReports
    from seeder.services.run import orchestrator

    _execute("SELECT pg_stat_force_next_flush()")
    return orchestrator.execute_run(AllReports())


def _cpu() -> float:
    _execute("SELECT pg_sleep(0.3)")  # the postmaster counts ended backends when it has noticed their end
    return float(_execute(_CPU)[0][0])


def _execute(statement: str) -> Any:
    from seeder.postgres import sessions

    return sessions.query("default", statement.replace("%", "%%"))


if __name__ == "__main__":
    main()

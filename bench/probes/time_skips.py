"""The cost of skips: python -m bench.probes.time_skips TABLES ROWS

Each table has two views, a short aggregate and a longer one. Runs refresh all with a part of the tables changed.
The cost is the CPU of all server processes. Needs Linux, a superuser, and an empty database with the contract's tables.
"""

import json
import os
import sys
from typing import Any

import django

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
    SELECT i AS id, i % 1000 AS k, date '2024-01-01' + i % 700 AS day, (i % 977)::numeric AS amount, md5(i::text) AS txt
    FROM generate_series(1, {rows}) AS i
"""
_VIEWS = (
    (
        "SELECT k, date_trunc('month', day::timestamp) AS month, count(*) AS n, sum(amount) AS amount,"
        " avg(amount) AS mean, count(DISTINCT left(txt, 3)) AS texts FROM reporting.t{number} GROUP BY 1, 2"
    ),
    (
        "SELECT day, count(DISTINCT txt) AS texts, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS median"
        " FROM reporting.t{number} GROUP BY 1"
    ),
)


def main() -> None:
    django.setup()
    print(json.dumps(measure(tables=int(sys.argv[1]), rows=int(sys.argv[2]))))


def measure(*, tables: int, rows: int) -> dict[str, dict[str, float]]:
    """Return CPU seconds and skipped views of each run."""
    from seeder.models import CustomReportManifest

    for number in range(tables):
        _execute(_TABLE.format(number=number, rows=rows))
        for position, query in enumerate(_VIEWS):
            CustomReportManifest.objects.create(
                table_name=f"reporting.v{number}_{position}",
                report_name="view",
                agency_id=1,
                agency_slug="bench",
                query=query.format(number=number),
                database_id=1,
                enabled=True,
            )
    _execute("VACUUM ANALYZE")
    cells = {"created": _run(), "recorded": _run(), "proved": _run(), "nothing changed": _run()}
    _change(max(1, tables // 20))
    cells["some changed"] = _run()
    _run(), _run()  # the changed ones take a proof again
    _change(tables)
    cells["all changed"] = _run()
    _run(), _run()
    _execute("SET track_counts = off")
    _change(tables)
    _execute("RESET track_counts")
    cells["all changed, the statistics miss it"] = _run()
    os.environ["SEEDER_SKIP_UNCHANGED"] = "false"
    cells["never skipped"] = _run()
    del os.environ["SEEDER_SKIP_UNCHANGED"]
    return cells


def _change(tables: int) -> None:
    for number in range(tables):
        _execute(f"UPDATE reporting.t{number} SET amount = amount + 1 WHERE id = 1")


def _run() -> dict[str, float]:
    from seeder.domain.refresh_requests import AllReports
    from seeder.services.run import orchestrator

    _execute("SELECT pg_stat_force_next_flush()")
    before = _cpu()
    summary = orchestrator.execute_run(AllReports())
    return {"cpu": round(_cpu() - before, 2), "skipped": summary.skipped, "failed": summary.failed}


def _cpu() -> float:
    _execute("SELECT pg_sleep(0.3)")  # the postmaster counts ended backends when it has noticed their end
    return float(_execute(_CPU)[0][0])


def _execute(statement: str) -> Any:
    from seeder.postgres import sessions

    return sessions.query("default", statement.replace("%", "%%"))


if __name__ == "__main__":
    main()

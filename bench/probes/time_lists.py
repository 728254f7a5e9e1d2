"""The database time of lists, measured by the server: python -m bench.probes.time_lists ROUNDS

There are three scenes: after a usual night, while a run has all views pending, and after a night in which everything
failed. The server reports duration and plan of every statement; the time to make the plan is added. The baseline is a
query of as many rows of one table by one of its indexes.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from statistics import median
from typing import Any

import django
import psycopg

_TONIGHT = "tonight"  # the run of a scene
_SCENES = {
    "a usual day": b"SELECT",
    "all pending": b"""
        INSERT INTO reporting.seeder_run_history
            (run_id, status, manifest_id, report_type, table_name, report_name, agency_id, agency_slug)
        SELECT 'tonight', 'pending', manifest_id, report_type, table_name, report_name, agency_id, agency_slug
        FROM reporting.seeder_run_history
        WHERE run_id = (SELECT max(run_id) FROM reporting.seeder_run);
        UPDATE reporting.seeder_job_status SET status = 'pending', last_run_id = 'tonight';
        UPDATE reporting.seeder_job_status SET status = 'running', start_time = now() - interval '5 min'
        WHERE table_name IN (SELECT table_name FROM reporting.seeder_job_status ORDER BY md5(table_name) LIMIT 8)""",
    "all failed": b"""
        INSERT INTO reporting.seeder_run_history
            (run_id, status, manifest_id, report_type, table_name, report_name, agency_id, agency_slug, finish_time)
        SELECT 'tonight', 'error', manifest_id, report_type, table_name, report_name, agency_id, agency_slug, now()
        FROM reporting.seeder_run_history
        WHERE run_id = (SELECT max(run_id) FROM reporting.seeder_run);
        UPDATE reporting.seeder_job_status
        SET status = 'error', last_run_id = 'tonight', consecutive_failures = consecutive_failures + 1""",
}
_SETTINGS = b"""
    LOAD 'auto_explain';
    SET auto_explain.log_min_duration = 0;
    SET auto_explain.log_level = 'notice';
    SET auto_explain.log_format = 'json';
    SET auto_explain.log_analyze = on;
    SET auto_explain.log_timing = off"""
_BASELINES = {
    "page": b"SELECT * FROM reporting.seeder_job_status ORDER BY table_name LIMIT 50",
    "deep": b"SELECT * FROM reporting.seeder_job_status ORDER BY table_name LIMIT 50 OFFSET 9900",
    "totals": b"SELECT count(*) FROM reporting.seeder_job_status",
    "history": b"SELECT * FROM reporting.seeder_run_history ORDER BY start_time DESC LIMIT 100",
    "run": b"SELECT * FROM reporting.seeder_run_history WHERE run_id = (SELECT max(run_id) FROM reporting.seeder_run)",
    "runs": b"SELECT * FROM reporting.seeder_run ORDER BY started_at DESC LIMIT 50",
    "snapshots": b"SELECT * FROM reporting.seeder_release_snapshot ORDER BY id DESC LIMIT 50",
}
_USUAL_DAY = "a usual day"
_STATUS_DEPENDENT = ("jobs", "totals", "the latest")  # the lists that the other scenes change


class ExplainingServer:
    """A connection whose server reports the plan and duration of each statement."""

    def __init__(self) -> None:
        from django.db import connection

        connection.ensure_connection()
        self.connection: psycopg.Connection[Any] = connection.connection
        self._notices: list[str] = []
        self.connection.execute(_SETTINGS)
        self.connection.add_notice_handler(lambda notice: self._notices.append(notice.message_primary or ""))

    def measure(self, run_query: Callable[[], object], rounds: int) -> Mapping[str, Any]:
        """Measure a query. Return median and maximum milliseconds of the rounds, after one that is not measured, and
        its plans.
        """
        milliseconds = []
        for _ in range(rounds + 1):
            self._notices.clear()
            run_query()
            durations = [message.partition("plan:") for message in self._notices if message.startswith("duration:")]
            milliseconds.append(sum(float(head.split()[1]) for head, _, _ in durations))
        plans = [json.loads(plan) for _, _, plan in durations]
        planning = sum(self._planning(plan["Query Text"]) for plan in plans)
        return {
            "ms": median(milliseconds[1:]) + planning,
            "max_ms": max(milliseconds[1:]) + planning,
            "planning": planning,
            "statements": len(plans),
            "reads": [touch for plan in plans for touch in _table_reads(plan["Plan"])],
        }

    def _planning(self, query: str) -> float:
        [(explained,)] = self.connection.execute(f"EXPLAIN (SUMMARY, FORMAT JSON) {query}".encode()).fetchall()
        return float(explained[0]["Planning Time"])


def _table_reads(plan: Mapping[str, Any]) -> Iterator[str]:
    """Yield how each table is read, and how often."""
    if plan.get("Relation Name", "").startswith("seeder_") and plan["Actual Loops"]:
        by = f" by {plan['Index Name'].removeprefix('seeder_')}" if "Index Name" in plan else ""
        loops = f", {plan['Actual Loops']:,} times" if plan["Actual Loops"] > 1 else ""
        rows = f"{plan['Actual Rows'] * plan['Actual Loops']:,.0f} rows"
        yield f"{plan['Node Type'].lower()} of {plan['Relation Name'].removeprefix('seeder_')}{by}{loops} ({rows})"
    for part in plan.get("Plans", ()):
        yield from _table_reads(part)


def main() -> None:
    rounds = int(sys.argv[1])
    django.setup()
    server = ExplainingServer()
    from bench.probes.list_queries import list_queries  # needs Django to be set up
    from seeder.services.run.run_liveness_lock import RunLock

    report: dict[str, Any] = {"lists": [], "baseline": {}}
    for name, query in _BASELINES.items():
        report["baseline"][name] = server.measure(partial(server.connection.execute, query), rounds)["ms"]
    for name, table in (("views", "seeder_job_status"), ("rows", "seeder_run_history")):
        [(report[name],)] = server.connection.execute(f"SELECT count(*) FROM reporting.{table}".encode()).fetchall()
    with RunLock(_TONIGHT):  # otherwise its pending and running views count as interrupted
        for scene, changes in _SCENES.items():
            server.connection.autocommit = False
            server.connection.execute(changes)
            for name, baseline, run_query in list_queries():
                if scene == _USUAL_DAY or name.startswith(_STATUS_DEPENDENT):
                    report["lists"].append(
                        {"name": name, "scene": scene, "baseline": baseline, **server.measure(run_query, rounds)}
                    )
            server.connection.rollback()
            server.connection.autocommit = True
    print(json.dumps(report))


if __name__ == "__main__":
    main()

"""What lists cost the database, by its own measure: python -m bench.probes.lists ROUNDS

Every list is asked for as the pages and the API ask for it, in three scenes: after a usual night, while a run has all
views pending, and after a night in which everything failed. The server tells of every statement how long it took and by
which plan; the time to make the plan is added. Beside it stands the least that anybody could ask for: the same number of
rows of one table by one of its indexes.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import Any

import django

_SCENES = {
    "a usual day": "SELECT",
    "all pending": """
        INSERT INTO reporting.seeder_run_history
            (run_id, status, manifest_id, report_type, table_name, report_name, agency_id, agency_slug)
        SELECT 'tonight', 'pending', manifest_id, report_type, table_name, report_name, agency_id, agency_slug
        FROM reporting.seeder_run_history
        WHERE run_id = (SELECT max(run_id) FROM reporting.seeder_run);
        UPDATE reporting.seeder_job_status SET status = 'pending', last_run_id = 'tonight';
        UPDATE reporting.seeder_job_status SET status = 'running', start_time = now() - interval '5 min'
        WHERE table_name IN (SELECT table_name FROM reporting.seeder_job_status ORDER BY md5(table_name) LIMIT 8)""",
    "all failed": """
        INSERT INTO reporting.seeder_run_history
            (run_id, status, manifest_id, report_type, table_name, report_name, agency_id, agency_slug, finish_time, errors)
        SELECT 'tonight', 'error', manifest_id, report_type, table_name, report_name, agency_id, agency_slug, now(), 'no'
        FROM reporting.seeder_run_history
        WHERE run_id = (SELECT max(run_id) FROM reporting.seeder_run);
        UPDATE reporting.seeder_job_status
        SET status = 'error', last_run_id = 'tonight', consecutive_failures = consecutive_failures + 1""",
}
_SETTINGS = """
    LOAD 'auto_explain';
    SET auto_explain.log_min_duration = 0;
    SET auto_explain.log_level = 'notice';
    SET auto_explain.log_format = 'json';
    SET auto_explain.log_analyze = on;
    SET auto_explain.log_timing = off"""
_BARE = {
    "page": "SELECT * FROM reporting.seeder_job_status ORDER BY table_name LIMIT 50",
    "deep": "SELECT * FROM reporting.seeder_job_status ORDER BY table_name LIMIT 50 OFFSET 9900",
    "totals": "SELECT count(*) FROM reporting.seeder_job_status",
    "history": "SELECT * FROM reporting.seeder_run_history ORDER BY start_time DESC LIMIT 100",
    "run": "SELECT * FROM reporting.seeder_run_history WHERE run_id = (SELECT max(run_id) FROM reporting.seeder_run)",
    "runs": "SELECT * FROM reporting.seeder_run ORDER BY started_at DESC LIMIT 50",
    "snapshots": "SELECT * FROM reporting.seeder_release_snapshot ORDER BY id DESC LIMIT 50",
}
_SOME = [f"agency-{number}" for number in range(1, 6)]
_ALWAYS = "a usual day"


class Server:
    """What it says about the statements that it was sent."""

    def __init__(self) -> None:
        from django.db import connection

        connection.ensure_connection()
        self.connection = connection.connection
        self._told: list[str] = []
        self.connection.execute(_SETTINGS)
        self.connection.add_notice_handler(lambda notice: self._told.append(notice.message_primary))

    def took(self, ask: Callable[[], object], rounds: int) -> Mapping[str, Any]:
        """Milliseconds: the median and the most of so many times, after one that does not count; and its plans."""
        each = []
        for _ in range(rounds + 1):
            self._told.clear()
            ask()
            told = [message.partition("plan:") for message in self._told if message.startswith("duration:")]
            each.append(sum(float(head.split()[1]) for head, _, _ in told))
        plans = [json.loads(plan) for _, _, plan in told]
        planning = sum(self._planning(plan["Query Text"]) for plan in plans)
        return {
            "ms": median(each[1:]) + planning,
            "most": max(each[1:]) + planning,
            "planning": planning,
            "statements": len(plans),
            "reads": Counter(touch for plan in plans for touch in _touches(plan["Plan"])),
            "plans": plans,
        }

    def _planning(self, query: str) -> float:
        found = self.connection.execute(f"EXPLAIN (SUMMARY, FORMAT JSON) {query}").fetchone()
        return float(found[0][0]["Planning Time"])


def _touches(plan: Mapping[str, Any]) -> Iterator[str]:
    """How each table is read, as often as it was."""
    if "Relation Name" in plan and plan["Actual Loops"]:
        by = f" by {plan['Index Name'].removeprefix('seeder_')}" if "Index Name" in plan else ""
        often = f", {plan['Actual Loops']:,} times" if plan["Actual Loops"] > 1 else ""
        rows = plan["Actual Rows"] * plan["Actual Loops"]
        yield f"{plan['Node Type']} of {plan['Relation Name'].removeprefix('seeder_')}{by}{often} ({rows:,.0f} rows)"
    for part in plan.get("Plans", ()):
        yield from _touches(part)


def asked() -> Iterator[tuple[str, str, Callable[[], object]]]:
    """What it is called, the least that anybody could ask for instead, and how it is asked for."""
    from seeder.domain.jobs import By, Listing, Order, Wanted
    from seeder.domain.manifests import ReportType
    from seeder.domain.outcomes import Status
    from seeder.models import Run, RunHistory
    from seeder.services import monitoring, timelines, visibility

    first, last = Listing(), Listing(offset=9900)
    for order in Order:
        for descending in (True, False):
            listing = Listing(order=order, descending=descending)
            way = "descending" if descending else "ascending"
            yield f"jobs by {order}, {way}", "page", lambda listing=listing: monitoring.page(Wanted(), listing)
    yield "jobs by attention, the last page", "deep", lambda: monitoring.page(Wanted(), last)
    yield "jobs, one for each manifest", "page", lambda: monitoring.page(Wanted(), first, by=By.MANIFEST)
    for name, wanted in {
        "of 5 agencies": Wanted(agencies=_SOME),
        "of one agency": Wanted(agency="agency-7"),
        "of one agency of 5": Wanted(agencies=_SOME, agency="agency-3"),
        "canned": Wanted(report_type=ReportType.CANNED),
        "succeeded": Wanted(status=Status.SUCCESS),
        "failing": Wanted(failing=True),
        "not failing": Wanted(failing=False),
        "late": Wanted(stale=True),
        "long-running": Wanted(long_running=True),
        "found by a text": Wanted(search="report 77"),
        "of 5 agencies, found by a text": Wanted(agencies=_SOME, search="report 77"),
    }.items():
        yield f"jobs {name}", "page", lambda wanted=wanted: monitoring.page(wanted, first)
    yield "totals", "totals", lambda: monitoring.totals(Wanted())
    yield "totals, for each manifest", "totals", lambda: monitoring.totals(Wanted(), by=By.MANIFEST)
    yield "totals of 5 agencies", "totals", lambda: monitoring.totals(Wanted(agencies=_SOME))
    shown = monitoring.page(Wanted(), first).jobs
    yield "the latest 14 runs of 50 jobs", "history", lambda: monitoring.recent(shown)

    run = str(Run.objects.latest("started_at").run_id)
    for name, agencies in {"": None, " of 5 agencies": _SOME, " of an agency without any": ["nobody"]}.items():
        yield (
            f"runs{name}",
            "runs",
            lambda agencies=agencies: timelines.totals(timelines.runs_of(agencies)[:50], agencies),
        )
        history = visibility.history_of(agencies)
        yield f"history{name}", "history", lambda history=history: list(history[:100])
        failed = history.filter(status=Status.ERROR)
        yield f"what failed{name}", "history", lambda failed=failed: list(failed[:100])
        snapshots = visibility.snapshots_of
        yield f"snapshots{name}", "snapshots", lambda agencies=agencies: list(snapshots(agencies)[:50])
    yield "a timeline of a run of everything", "run", lambda: timelines.timeline(run, None)
    yield "a timeline of 5 agencies in it", "run", lambda: timelines.timeline(run, _SOME)
    yield "a run's rows", "history", lambda: list(timelines.history_of(run, None).order_by("-start_time", "-id")[:100])
    job = shown[0]
    own = visibility.history_of(None).filter(
        table_name=job.table_name, report_type=job.report_type, manifest_id=job.manifest_id
    )
    yield "history of a job", "history", lambda: list(own[:50])
    yield "history of a job, the count", "totals", own.count
    since = RunHistory.objects.order_by("-start_time")[50_000].start_time
    yield "history until 50,000 rows ago", "history", lambda: list(
        visibility.history_of(None).filter(start_time__lt=since)[:100]
    )
    yield "history, 10,000 rows on", "history", lambda: list(visibility.history_of(None)[10_000:10_100])


def main() -> None:
    rounds = int(sys.argv[1])
    django.setup()
    server = Server()
    said: dict[str, Any] = {"lists": []}
    said["bare"] = {
        name: server.took(lambda query=query: server.connection.execute(query).fetchall(), rounds)["ms"]
        for name, query in _BARE.items()
    }
    for scene, changes in _SCENES.items():
        server.connection.autocommit = False
        server.connection.execute(changes)
        for name, bare, ask in asked():
            if scene == _ALWAYS or name.startswith(("jobs", "totals", "the latest")):
                said["lists"].append({"name": name, "scene": scene, "bare": bare, **server.took(ask, rounds)})
        server.connection.rollback()
        server.connection.autocommit = True
    print(json.dumps(said))


if __name__ == "__main__":
    main()

"""Simulated nights: real runs with earlier dates, while the records arrive month by month.

The history shows a report that fails since its data causes a division by zero, one that a data check held while a
file was loaded only in part, a run that the throttle paused, and two release snapshots of a view that was recreated
between them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import date, timedelta
from threading import Thread

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import F, Min
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from demo import embedded_only
from seeder.domain.refresh_requests import AllReports
from seeder.models import CustomReportManifest, ReleaseSnapshot, Run, RunHistory, ViewState
from seeder.services.run import orchestrator
from seeder.services.snapshots import release_snapshots

_MONTHS = [date(2022, month, 1) for month in range(8, 13)] + [date(2023, month, 1) for month in range(1, 10)]
_REPLACED_VIEW = "reporting.demo_precinct_concentration"
_FAILING = "reporting.demo_staten_island_by_month"
# Staten Island has no record of January 2023, so February divides by zero.
_DIVISION_BY_ZERO_QUERY = """
    SELECT month, complaints, round(100.0 * complaints / lag(complaints) OVER (ORDER BY month)) AS percent_of_last
    FROM (
        SELECT month::date, count(c.complaint_id) AS complaints
        FROM generate_series(
            '2022-11-01'::date, (SELECT max(recorded_on) FROM records.nypd_hate_crimes), INTERVAL '1 month') AS month
        LEFT JOIN records.nypd_hate_crimes AS c
            ON c.county = 'RICHMOND' AND date_trunc('month', c.recorded_on::timestamp) = month
        GROUP BY month
    ) AS by_month"""
_OLDER_QUERY = (
    "SELECT place::text, precinct, complaints, felonies, share_percent, 'NYPD' AS source FROM ({query}) AS now"
)


def has_history() -> bool:
    first = RunHistory.objects.aggregate(first=Min("start_time"))["first"]
    return first is not None and first < timezone.now() - timedelta(days=1)


def create_history() -> int:
    """Create the history and return the number of nights. Raises `DemoError` on any other database."""
    embedded_only.require_embedded_database()
    _create_failing_report()
    manifest = CustomReportManifest.objects.get(table_name=_REPLACED_VIEW)
    query = manifest.query
    with _records_set_aside():
        _replace_view_query(_OLDER_QUERY.format(query=query))
        for night, month in enumerate(_MONTHS):
            _restore_records_until(month)
            if night == len(_MONTHS) // 2:
                _capture("2026.10")
                _replace_view_query(query)
            with _half_loaded() if night == len(_MONTHS) // 4 else nullcontext():
                _run_night(days_ago=len(_MONTHS) - 1 - night)
    _capture("2026.11")
    return len(_MONTHS)


def _create_failing_report() -> None:
    CustomReportManifest.objects.get_or_create(
        table_name=_FAILING,
        defaults={
            "report_name": "Staten Island, month against month",
            "agency_id": 1,
            "agency_slug": "demo",
            "query": _DIVISION_BY_ZERO_QUERY,
            "database_id": 1,
        },
    )


def _replace_view_query(query: str) -> None:
    """Replace the manifest's query and recreate the view."""
    CustomReportManifest.objects.filter(table_name=_REPLACED_VIEW).update(query=query)
    _execute(f"DROP MATERIALIZED VIEW IF EXISTS {_REPLACED_VIEW}")


def _capture(tag: str) -> None:
    if not ReleaseSnapshot.objects.filter(table_name=_REPLACED_VIEW, release_tag=tag).exists():
        release_snapshots.capture_release_snapshot(
            _REPLACED_VIEW, tag, top_values_columns=["commonest_bias"][: tag == "2026.11"]
        )


@contextmanager
def _records_set_aside() -> Iterator[None]:
    """Remove the records of the last months, and restore all at the end, even after an error."""
    _execute(
        "CREATE SCHEMA IF NOT EXISTS demo_past;"
        " CREATE TABLE IF NOT EXISTS demo_past.lines AS"
        " SELECT * FROM records.nypd_hate_crime_lines WHERE recorded_on >= %s;"
        " DELETE FROM records.nypd_hate_crime_lines AS l USING demo_past.lines AS p"
        " WHERE l.complaint_id = p.complaint_id",
        _MONTHS[0],
    )
    try:
        yield
    finally:
        _restore_records_until(date.max)
        _execute("DROP SCHEMA demo_past CASCADE")


@contextmanager
def _half_loaded() -> Iterator[None]:
    """Remove the newer half of the records, as after a load that ended too early."""
    _execute(
        "CREATE TABLE demo_past.half AS SELECT * FROM records.nypd_hate_crime_lines WHERE recorded_on >= '2021-01-01';"
        " DELETE FROM records.nypd_hate_crime_lines WHERE recorded_on >= '2021-01-01'"
    )
    try:
        yield
    finally:
        _execute("INSERT INTO records.nypd_hate_crime_lines SELECT * FROM demo_past.half; DROP TABLE demo_past.half")


def _restore_records_until(month: date) -> None:
    """Restore the records up to this month."""
    _execute(
        "INSERT INTO records.nypd_hate_crime_lines SELECT * FROM demo_past.lines"
        " WHERE date_trunc('month', recorded_on::timestamp) <= %s ON CONFLICT DO NOTHING",
        month,
    )


def _run_night(*, days_ago: int) -> None:
    """Run everything with four workers, the last night on a busy server."""
    with _environment(SEEDER_MAX_WORKERS="4", **({} if days_ago else {"SEEDER_MAX_DB_ACTIVE_QUERIES": "3"})):
        busy_threads = [Thread(target=_occupy_server) for _ in range(0 if days_ago else 4)]
        for thread in busy_threads:
            thread.start()
        summary = orchestrator.execute_run(AllReports(), requested_by="schedule nightly")
        for thread in busy_threads:
            thread.join()
    _date_back(summary.run_id, timedelta(days=days_ago))


def _date_back(run_id: str, by: timedelta) -> None:
    history_rows = RunHistory.objects.filter(run_id=run_id)
    history_rows.update(**{name: F(name) - by for name in ("start_time", "finish_time", "created_at", "updated_at")})
    for run in Run.objects.filter(run_id=run_id):
        ViewState.objects.filter(data_as_of__gte=run.started_at).update(data_as_of=F("data_as_of") - by)
        holds = [{**hold, **{end: _earlier(hold[end], by) for end in ("from", "until")}} for hold in run.holds]
        run.started_at, run.holds = run.started_at - by, holds
        run.finished_at = run.finished_at and run.finished_at - by
        run.save()


def _earlier(instant: str | None, by: timedelta) -> str | None:
    parsed = parse_datetime(instant) if instant else None
    return (parsed - by).isoformat() if parsed else None


def _occupy_server() -> None:
    """Keep the server busy."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.2)")
    connections[DEFAULT_DB_ALIAS].close()


def _execute(statements: str, *parameters: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statements, parameters or None)


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

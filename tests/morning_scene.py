"""A morning: 83 views of seven agencies after fourteen nights, one failing, one late, and the breaker open.

The breaker counts views, not attempts. Only with a limit of one can one failing view open it. It failed first this
morning, because a release dropped a table after the night.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone
from django_q.models import Schedule

from seeder.models import CircuitBreaker, CustomReportManifest, JobStatus, Run, RunHistory, RunMetrics
from seeder.services.queue import schedules

AGENCIES = ("bronx", "brooklyn", "harbor", "manhattan", "queens", "staten-island", "transit")
SUBJECTS = ("Arrests", "Bias incidents", "Calls for service", "Complaints", "Collisions", "Overtime", "Response times")
PERIODS = ("by day", "by hour", "by month", "by precinct", "by type", "against last year")
VIEWS = 83
NIGHTS = 14
FAILING, LATE = 31, 47
MAX_FAILURES = 1  # SEEDER_MAX_FAILURES of the site
REASON, SQLSTATE = "undefined_table", "42P01"
ERROR = """\
relation "records.precinct_areas" does not exist
LINE 1: (SELECT area FROM records.precinct_areas WHERE precinct = wa...
                          ^
QUERY:  (SELECT area FROM records.precinct_areas WHERE precinct = wanted)
CONTEXT:  PL/pgSQL function records.area_of(integer) line 2 at RETURN"""


def morning_zone() -> ZoneInfo:
    """Return a time zone in which it is between seven and eight."""
    zones = (ZoneInfo(name) for name in sorted(available_timezones()) if "/" in name)
    return next(zone for zone in zones if datetime.now(zone).hour == 7)


def create_morning() -> None:
    """Fill the empty tables. In `morning_zone`, the last night ran from 02:00 to 02:41."""
    last = datetime.now(morning_zone()).replace(hour=2, minute=0, second=0, microsecond=0)
    _create_schedules(last + timedelta(days=1))
    manifests = CustomReportManifest.objects.bulk_create(_manifests())
    for number in range(NIGHTS):
        _create_night(manifests, last - timedelta(days=NIGHTS - 1 - number))
    _create_run_after_load(manifests[FAILING], last + timedelta(hours=4))
    for manifest in manifests:
        row = RunHistory.objects.filter(table_name=manifest.table_name).latest("start_time")
        JobStatus.objects.create(
            table_name=row.table_name,
            manifest_id=row.manifest_id,
            report_name=row.report_name,
            report_type=row.report_type,
            agency_id=row.agency_id,
            agency_slug=row.agency_slug,
            status=row.status,
            duration_seconds=row.duration_seconds,
            start_time=row.start_time,
            consecutive_failures=row.consecutive_failures,
            last_run_id=row.run_id,
            last_errors=row.errors,
        )
    CircuitBreaker.objects.create(
        database_alias="default",
        failures=MAX_FAILURES,
        opened_at=last + timedelta(hours=4, seconds=90),
        causes={manifests[FAILING].table_name: REASON},
    )


def _create_schedules(next_night: datetime) -> None:
    """Create the schedules as a living cluster leaves them."""
    nightly = Schedule(name=f"{schedules.PREFIX}every report", func="seeder.tasks.refresh_all", schedule_type="C")
    nightly.cron, nightly.next_run = "0 2 * * *", next_night
    resume = Schedule(name=f"{schedules.PREFIX}resume the queue", func="seeder.tasks.resume_queue", schedule_type="I")
    resume.minutes, resume.next_run = 5, timezone.now() + timedelta(minutes=5)
    Schedule.objects.bulk_create([nightly, resume])  # save() would compute the next time in the zone of the tests


def _manifests() -> Iterator[CustomReportManifest]:
    for number in range(VIEWS):
        agency = number % len(AGENCIES)
        name = f"{SUBJECTS[number % len(SUBJECTS)]} {PERIODS[number // len(SUBJECTS) % len(PERIODS)]}"
        yield CustomReportManifest(
            table_name=f"reporting.{AGENCIES[agency].replace('-', '_')}_{name.lower().replace(' ', '_')}_{number}",
            report_name=f"{name} {number}",
            agency_id=agency + 1,
            agency_slug=AGENCIES[agency],
            query="SELECT 1 AS n",
            database_id=1,
        )


def _create_night(manifests: list[CustomReportManifest], start: datetime) -> None:
    run_id = f"{start:%Y%m%d-%H%M%S}-night"
    rows = [
        _row(run_id, manifest, start + timedelta(seconds=29 * number), is_error=False)
        for number, manifest in enumerate(manifests)
        if not (number == LATE and timezone.now() - start < timedelta(days=2))
    ]
    rows = RunHistory.objects.bulk_create(rows)
    RunMetrics.objects.bulk_create(RunMetrics(history=row, reason=_reason(row, start)) for row in rows)
    Run.objects.create(
        run_id=run_id,
        description="every report",
        requested_by="seeder: every report",
        started_at=start,
        finished_at=rows[-1].finish_time,
        workers=4,
        manifests=len(rows),
        succeeded=len(rows),
        failed=0,
        agencies={slug: {"manifests": 1, "succeeded": 1, "failed": 0} for slug in AGENCIES},
        holds=[],
    )


def _create_run_after_load(manifest: CustomReportManifest, start: datetime) -> None:
    run_id = f"{start:%Y%m%d-%H%M%S}-load"
    row = _row(run_id, manifest, start, is_error=True)
    row.save()
    RunMetrics.objects.create(history=row, reason=REASON, sqlstate=SQLSTATE)
    Run.objects.create(
        run_id=run_id,
        description="the views that depend on records.precincts",
        requested_by="load 4711",
        started_at=start,
        finished_at=row.finish_time,
        workers=1,
        manifests=1,
        succeeded=0,
        failed=1,
        agencies={manifest.agency_slug: {"manifests": 1, "succeeded": 0, "failed": 1}},
        holds=[],
    )


def _row(run_id: str, manifest: CustomReportManifest, start: datetime, *, is_error: bool) -> RunHistory:
    return RunHistory(
        run_id=run_id,
        manifest_id=manifest.pk,
        table_name=manifest.table_name,
        report_name=manifest.report_name,
        agency_id=manifest.agency_id,
        agency_slug=manifest.agency_slug,
        report_type="custom",
        status="error" if is_error else "success",
        start_time=start,
        finish_time=start + timedelta(seconds=90),
        duration_seconds=90,
        records_processed=0 if is_error else 1200,
        consecutive_failures=int(is_error),
        errors=ERROR if is_error else None,
    )


def _reason(row: RunHistory, start: datetime) -> str | None:
    return "skipped" if (row.manifest_id + start.day) % 9 == 0 else None

"""How the views stand: a line a view, for logs and pipes, or one JSON document."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from seeder.domain.human_format import format_count, format_duration
from seeder.domain.monitoring.report_jobs import Job, JobTotals
from seeder.domain.outcomes import Status
from seeder.domain.view_names import one_line
from seeder.management.rendering.run_event_lines import first_line
from seeder.services.read_models.job_list import JobOverview


def status_lines(overview: JobOverview) -> Iterator[str]:
    """The totals, then a line for each view."""
    yield totals_text(overview.totals)
    for job in overview.page.jobs:
        yield one_line(_job_line(job, overview))
    yield from not_shown_lines(overview)


def totals_text(totals: JobTotals) -> str:
    """How many views there are of each kind, in one line."""
    running = f"{totals.running:,} running" + (f" ({totals.long_running:,} for too long)" * bool(totals.long_running))
    facts = (f"{totals.fresh:,} fresh", f"{totals.failing:,} failing", running, f"{totals.stale:,} late")
    return f"{format_count(totals.jobs, 'view')}: {', '.join(facts)}"


def not_shown_lines(overview: JobOverview) -> Iterator[str]:
    """What is not shown is said, as is that there is nothing to show."""
    shown_count, total_count = len(overview.page.jobs), overview.page.total
    if not shown_count:
        yield "No view is like that." if overview.totals.jobs else "No enabled manifest asks for a view like that."
    elif shown_count < total_count:
        yield f"{shown_count:,} of {total_count:,} shown; --limit shows more."


def job_state_text(job: Job, now: datetime) -> str:
    """Describe the state of a view in a few words."""
    if job.status is Status.RUNNING and job.start_time is not None:
        return f"running for {format_duration(now - job.start_time)}"
    if job.status is Status.PENDING:
        return "pending"
    if job.failing:
        return f"failed {format_count(job.consecutive_failures, 'time')}"
    if job.status is None:
        return "never ran"
    return "late" if job.stale else "fresh"


def usual_duration_texts(job: Job) -> list[str]:
    """What to hold against the time that a view has been running for, where that is too long."""
    return (
        [f"usually {format_duration(job.usual_duration)}"]
        if job.long_running and job.usual_duration is not None
        else []
    )


def time_ago_text(instant: datetime | None, now: datetime) -> str:
    """`never`, `12 s ago`, `5 h ago`, `3 days ago`."""
    if instant is None:
        return "never"
    span = max(now - instant, timedelta())
    for size, noun in ((timedelta(minutes=1), "s"), (timedelta(hours=1), "min"), (timedelta(days=2), "h")):
        if span < size:
            return f"{span // _UNITS[noun]} {noun} ago"
    return f"{span.days:,} days ago"


_UNITS: Mapping[str, timedelta] = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
}


def agencies_text(job: Job) -> str:
    """The one, or how many share it."""
    first, *others = job.agencies
    return f"{first} (and {format_count(len(others), 'other')})" if others else first


def job_error_text(job: Job, overview: JobOverview) -> str:
    """Why it failed, or what there is to say of it, in one line: the word by which the runbook has it, where that is
    known, and PostgreSQL's."""
    return ": ".join(filter(None, (overview.reason(job).reason, first_line(job.errors or ""))))


def _job_line(job: Job, overview: JobOverview) -> str:
    now = overview.now
    facts = [f"{job.table_name}: {', '.join([job_state_text(job, now), *usual_duration_texts(job)])}"]
    if job.status is not None:
        facts.append(f"last success {time_ago_text(job.last_success_at, now)}")
    facts += [job.report_name, agencies_text(job)]
    return "; ".join(facts) + (f": {job_error_text(job, overview)}" if job.errors else "")


def status_json(overview: JobOverview) -> Mapping[str, object]:
    """The names are those of the API."""
    totals = overview.totals
    return {
        "totals": {
            "jobs": totals.jobs,
            "fresh": totals.fresh,
            "failing": totals.failing,
            "running": totals.running,
            "longRunning": totals.long_running,
            "stale": totals.stale,
        },
        "count": overview.page.total,
        "jobs": [_job_json(job, overview) for job in overview.page.jobs],
    }


def _job_json(job: Job, overview: JobOverview) -> Mapping[str, object]:
    return {
        "id": job.manifest_id,
        "reportName": job.report_name,
        "tableName": job.table_name,
        "reportType": job.report_type,
        "status": job.status,
        "durationSeconds": job.duration_seconds,
        "startTime": _iso_time(job.start_time),
        "consecutiveFailures": job.consecutive_failures,
        "agencyId": job.agency_id,
        "agencyName": overview.agency_names.get(job.agency_id, job.agency_slug),
        "agencySlug": job.agency_slug,
        "agencySlugs": job.agencies,
        "failing": job.failing,
        "stale": job.stale,
        "longRunning": job.long_running,
        "lastSuccess": _iso_time(job.last_success_at),
        "lastRunId": job.last_run_id,
        "reason": overview.reason(job).reason,
        "sqlstate": overview.reason(job).sqlstate,
        "errors": job.errors,
    }


def _iso_time(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()

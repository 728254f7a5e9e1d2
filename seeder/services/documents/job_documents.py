"""Documents of manifests, jobs and their history rows."""

from collections.abc import Iterable, Mapping

from seeder.domain.manifests import Manifest, ReportType
from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.outcomes import Status
from seeder.models import RunHistory
from seeder.services.documents.document_fields import Document, fields
from seeder.services.read_models.error_redaction import UNKNOWN, FailureReason, redact
from seeder.services.read_models.job_list import JobOverview


def manifest_document(manifest: Manifest | Job | RunHistory) -> Document:
    names = ("report_type", "report_name", "table_name", "agency_id", "agency_slug")
    return fields(manifest, *names, id="manifest_id")


def job_documents(
    jobs: Iterable[Job],
    agency_names: Mapping[int, str],
    reasons: Mapping[tuple[ReportType, int], FailureReason],
    *,
    can_see_errors: bool,
) -> list[Document]:
    state = ("status", "start_time", "duration_seconds", "consecutive_failures", "last_run_id")
    return [
        {
            **manifest_document(job),
            "agencyName": agency_names[job.agency_id],
            **fields(
                job, *state, "failing", "stale", "long_running", agencySlugs="agencies", lastSuccess="last_success_at"
            ),
            **_failure_document(
                job.errors,
                reasons.get((job.report_type, job.manifest_id), UNKNOWN),
                failed=job.failing,
                can_see_errors=can_see_errors,
            ),
        }
        for job in jobs
    ]


def history_documents(
    rows: Iterable[RunHistory], reasons: Mapping[int, FailureReason], *, can_see_errors: bool
) -> list[Document]:
    times = ("start_time", "finish_time", "duration_seconds")
    costs = ("records_processed", "bytes_processed", "memory_usage_mb", "cpu_percentage")
    return [
        {
            **manifest_document(row),
            **fields(row, "run_id", "status", *times, *costs),
            **_failure_document(
                row.errors,
                reasons.get(row.pk, UNKNOWN),
                failed=row.status == Status.ERROR,
                can_see_errors=can_see_errors,
            ),
        }
        for row in rows
    ]


def _failure_document(errors: str | None, reason: FailureReason, *, failed: bool, can_see_errors: bool) -> Document:
    shown = redact(errors, reason, failed=failed, can_see_errors=can_see_errors)
    return {**fields(reason, "reason", "sqlstate"), "errors": shown}


def status_document(overview: JobOverview) -> Document:
    return {
        "totals": fields(overview.totals, "jobs", "fresh", "failing", "running", "long_running", "stale"),
        "count": overview.page.total,
        "jobs": job_documents(overview.page.jobs, overview.agency_names, overview.reasons, can_see_errors=True),
    }

"""Documents of manifests, jobs and their history rows."""

from collections.abc import Iterable, Mapping, Sequence

from seeder.domain.as_of import TableAsOf
from seeder.domain.freshness.data_age import NEVER_RECORDED, DataAge
from seeder.domain.manifests import Manifest, ManifestKey
from seeder.domain.mode_predictor import unchanged_rows
from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.outcomes import Status
from seeder.models import RunHistory
from seeder.services.documents.document_fields import Document, fields
from seeder.services.read_models.error_redaction import ModeAndRows, VisibleFailure


def manifest_document(manifest: Manifest | Job | RunHistory) -> Document:
    names = ("report_type", "report_name", "table_name", "agency_id", "agency_slug")
    return fields(manifest, *names, id="manifest_id")


def job_documents(
    jobs: Iterable[Job],
    agency_names: Mapping[int, str],
    failures: Mapping[ManifestKey, VisibleFailure],
    as_of: Mapping[str, Sequence[TableAsOf]],
    ages: Mapping[str, DataAge],
) -> list[Document]:
    state = ("status", "start_time", "duration_seconds", "consecutive_failures", "last_run_id")
    return [
        {
            **manifest_document(job),
            "agencyName": agency_names[job.agency_id],
            **fields(
                job, *state, "failing", "stale", "long_running", agencySlugs="agencies", lastSuccess="last_success_at"
            ),
            **fields(failures[job.key], "reason", "sqlstate", "errors", "notes"),
            **fields(ages.get(job.table_name, NEVER_RECORDED), dataAsOf="as_of", dataAsOfUnknown="unknown"),
            "asOf": [
                fields(one, "table", "load_id", "loaded_at", "newer_loads", "by_times")
                for one in as_of.get(job.table_name, ())
            ],
        }
        for job in jobs
    ]


def history_documents(rows: Iterable[RunHistory], failures: Mapping[int, VisibleFailure]) -> list[Document]:
    times = ("start_time", "finish_time", "duration_seconds")
    costs = ("records_processed", "bytes_processed", "memory_usage_mb", "cpu_percentage")
    return [
        {
            **manifest_document(row),
            **fields(row, "run_id", "status", *times, *costs),
            **fields(failures[row.pk], "reason", "sqlstate", "errors", "notes"),
            **fields(
                failures[row.pk].mode_and_rows,
                "mode",
                "mode_reason",
                "consistent_group",
                "rows_inserted",
                "rows_deleted",
            ),
            "rowsUnchanged": _rows_unchanged(row, failures[row.pk].mode_and_rows),
        }
        for row in rows
    ]


def _rows_unchanged(row: RunHistory, known: ModeAndRows) -> int | None:
    rows = row.records_processed if row.status == Status.SUCCESS else None
    return unchanged_rows(known.mode, rows, known.rows_inserted)

"""Documents of release snapshots and comparisons."""

from collections.abc import Sequence
from dataclasses import asdict

from seeder.domain.snapshots.snapshot_contents import Snapshot
from seeder.domain.snapshots.snapshot_drift import SnapshotComparison
from seeder.models import ReleaseSnapshot
from seeder.services.documents.document_fields import Document, fields
from seeder.services.snapshots.bulk_capture import CaptureResult


def snapshot_document(snapshot: Snapshot) -> Document:
    return {
        **_reference_document(snapshot),
        **fields(snapshot, "schema_hash"),
        **fields(snapshot.statistics, "row_count", "exact"),
        "columns": [
            {**asdict(column), **asdict(snapshot.statistics.columns[column.name])} for column in snapshot.columns
        ],
    }


def capture_results_document(results: Sequence[CaptureResult]) -> Document:
    return {
        "captured": [snapshot_document(result.snapshot) for result in results if result.snapshot],
        "failed": [fields(result, "table_name", "error") for result in results if not result.snapshot],
    }


def snapshot_summary_document(row: ReleaseSnapshot) -> Document:
    identity = ("id", "table_name", "release_tag", "release_version", "captured_at")
    return fields(row, *identity, "schema_hash", "row_count", "column_count", "exact")


def comparison_document(comparison: SnapshotComparison) -> Document:
    return {
        "base": _reference_document(comparison.base),
        "compare": _reference_document(comparison.compare),
        "severity": str(comparison.severity),
        "findings": [
            {**asdict(finding), "severity": str(finding.severity), "rule": finding.rule and str(finding.rule)}
            for finding in comparison.findings
        ],
    }


def _reference_document(snapshot: Snapshot) -> Document:
    release = fields(snapshot.release, releaseTag="tag", releaseVersion="version")
    return {**fields(snapshot, "id", "table_name", "captured_at"), **release}

"""JSON of snapshots and comparisons, used by commands and the API."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from seeder.domain.snapshots.snapshot_contents import Snapshot
from seeder.domain.snapshots.snapshot_drift import SnapshotComparison


def snapshot_json(snapshot: Snapshot) -> Mapping[str, Any]:
    return {
        **snapshot_reference(snapshot),
        "schemaHash": snapshot.shape.schema_hash,
        "rowCount": snapshot.statistics.row_count,
        "exact": snapshot.statistics.exact,
        "columns": [
            {**asdict(column), **asdict(snapshot.statistics.columns[column.name])} for column in snapshot.shape.columns
        ],
    }


def comparison_json(comparison: SnapshotComparison) -> Mapping[str, Any]:
    return {
        "base": snapshot_reference(comparison.base),
        "compare": snapshot_reference(comparison.compare),
        "severity": str(comparison.severity),
        "findings": [
            {
                **{name: value for name, value in asdict(finding).items() if name != "rule"},
                "severity": str(finding.severity),
                "rule": finding.rule and str(finding.rule),
            }
            for finding in comparison.findings
        ],
    }


def snapshot_reference(snapshot: Snapshot) -> Mapping[str, Any]:
    """Return the identity of a snapshot."""
    return {
        "id": snapshot.id,
        "tableName": snapshot.table_name,
        "releaseTag": snapshot.release.tag,
        "releaseVersion": snapshot.release.version,
        "capturedAt": snapshot.captured_at.isoformat(),
    }

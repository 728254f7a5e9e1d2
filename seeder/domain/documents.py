"""Snapshots and their comparisons as JSON, the same at every door. The names are those of the API."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from seeder.domain.drift import Comparison
from seeder.domain.snapshots import Snapshot


def as_document(snapshot: Snapshot) -> Mapping[str, Any]:
    return {
        **reference(snapshot),
        "schemaHash": snapshot.shape.schema_hash,
        "rowCount": snapshot.figures.rows,
        "exact": snapshot.figures.exact,
        "columns": [
            {**asdict(column), **asdict(snapshot.figures.columns[column.name])} for column in snapshot.shape.columns
        ],
    }


def comparison_document(comparison: Comparison) -> Mapping[str, Any]:
    return {
        "base": reference(comparison.base),
        "compare": reference(comparison.compare),
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


def reference(snapshot: Snapshot) -> Mapping[str, Any]:
    """Which snapshot is meant."""
    return {
        "id": snapshot.id,
        "tableName": snapshot.table_name,
        "releaseTag": snapshot.release.tag,
        "releaseVersion": snapshot.release.version,
        "capturedAt": snapshot.captured_at.isoformat(),
    }

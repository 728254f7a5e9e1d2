"""Snapshots and their comparisons, for people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seeder.domain.human_format import format_count
from seeder.domain.snapshots.drift_rules import Severity
from seeder.domain.snapshots.drift_text import HASH_DIGITS, describe_finding
from seeder.domain.snapshots.snapshot_contents import Snapshot
from seeder.domain.snapshots.snapshot_drift import SnapshotComparison
from seeder.domain.snapshots.snapshot_json import snapshot_json
from seeder.services.snapshots.bulk_capture import CaptureResult


def capture_text(snapshot: Snapshot) -> str:
    """What was recorded, in one line."""
    rows = format_count(snapshot.statistics.row_count, "row")
    about = "" if snapshot.statistics.exact else "about "
    return (
        f"{snapshot}: snapshot {snapshot.id} of {about}{rows} in {format_count(len(snapshot.shape.columns), 'column')},"
        f" schema {snapshot.shape.schema_hash[:HASH_DIGITS]}"
    )


def capture_result_text(result: CaptureResult) -> str:
    """How the capture of one of several views ended, in one line."""
    return capture_text(result.snapshot) if result.snapshot else f"{result.table_name}: not captured. {result.error}"


def capture_results_json(results: Sequence[CaptureResult]) -> Mapping[str, Any]:
    return {
        "captured": [snapshot_json(one.snapshot) for one in results if one.snapshot],
        "failed": [{"tableName": one.table_name, "error": one.error} for one in results if not one.snapshot],
    }


def comparison_lines(comparison: SnapshotComparison, *, show_all: bool) -> Iterator[tuple[str, Severity]]:
    """A line each, with how much it matters."""
    base, other = comparison.base, comparison.compare
    yield f"{base} (snapshot {base.id}) → {other} (snapshot {other.id})", Severity.NONE
    shown = [finding for finding in comparison.findings if show_all or finding.severity]
    for finding in shown:
        yield f"  {finding.severity!s:<8}  {describe_finding(finding)}", finding.severity
    totals = [(one, sum(finding.severity is one for finding in comparison.findings)) for one in reversed(Severity)]
    counts_text = ", ".join(f"{number} {severity}" for severity, number in totals if number and severity)
    no_severity_count = dict(totals)[Severity.NONE]
    no_severity_text = f"{format_count(no_severity_count, 'difference')} of no severity" if no_severity_count else ""
    hint = "" if show_all or not no_severity_count else " (--everything shows them)"
    yield (
        f"{', '.join(part for part in (counts_text, no_severity_text) if part) or 'No difference'}{hint}.",
        comparison.severity,
    )

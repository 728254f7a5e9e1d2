"""Release snapshots and their comparisons as text."""

from collections.abc import Iterator

from seeder.domain.human_format import format_count
from seeder.domain.snapshots.drift_rules import Severity
from seeder.domain.snapshots.drift_text import HASH_DIGITS, describe_finding
from seeder.domain.snapshots.snapshot_contents import Snapshot
from seeder.domain.snapshots.snapshot_drift import SnapshotComparison
from seeder.management.rendering.command_output import Block
from seeder.services.snapshots.bulk_capture import CaptureResult

_SEVERITY_STYLES = {Severity.BREAKING: "bold red", Severity.NOTICE: "bold yellow", Severity.NONE: ""}


def capture_text(snapshot: Snapshot) -> str:
    rows = format_count(snapshot.statistics.row_count, "row")
    about = "" if snapshot.statistics.exact else "about "
    columns = format_count(len(snapshot.columns), "column")
    schema = snapshot.schema_hash[:HASH_DIGITS]
    return f"{snapshot}: snapshot {snapshot.id} of {about}{rows} in {columns}, schema {schema}"


def capture_result_text(result: CaptureResult) -> str:
    return capture_text(result.snapshot) if result.snapshot else f"{result.table_name}: not captured. {result.error}"


def comparison_blocks(comparison: SnapshotComparison, *, show_all: bool) -> Iterator[Block]:
    base, other = comparison.base, comparison.compare
    yield f"{base} (snapshot {base.id}) → {other} (snapshot {other.id})"
    counts = dict.fromkeys(reversed(Severity), 0)
    for finding in comparison.findings:
        counts[finding.severity] += 1
        if show_all or finding.severity:
            yield f"  {finding.severity!s:<8}  {describe_finding(finding)}", _SEVERITY_STYLES[finding.severity]
    minor_count = counts.pop(Severity.NONE)
    totals = [f"{number} {severity}" for severity, number in counts.items() if number]
    totals += [f"{format_count(minor_count, 'difference')} of no severity"] if minor_count else []
    hint = "" if show_all or not minor_count else " (--everything shows them)"
    yield f"{', '.join(totals) or 'No difference'}{hint}.", _SEVERITY_STYLES[comparison.severity]

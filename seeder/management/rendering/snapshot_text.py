"""Release snapshots and their comparisons as text."""

from collections.abc import Iterator

from seeder.domain.human_format import format_count
from seeder.domain.snapshots.drift_rules import Severity
from seeder.domain.snapshots.drift_text import HASH_DIGITS, SEVERITY_WORDS, describe_finding
from seeder.domain.snapshots.snapshot_contents import Snapshot
from seeder.domain.snapshots.snapshot_drift import SnapshotComparison
from seeder.management.rendering.command_output import Block
from seeder.services.snapshots.bulk_capture import CaptureResult
from seeder.services.translation import translated
from seeder.texts import Text

_SEVERITY_COUNTS = {
    Severity.BREAKING: Text.counted_in_context("differences", "{number:,} breaking", "{number:,} breaking", 0),
    Severity.NOTICE: Text.counted_in_context("differences", "{number:,} notice", "{number:,} notice", 0),
}
_SEVERITY_STYLES = {Severity.BREAKING: "bold red", Severity.NOTICE: "bold yellow", Severity.NONE: ""}


def capture_text(snapshot: Snapshot) -> Text:
    rows = format_count(snapshot.statistics.row_count, "row")
    if not snapshot.statistics.exact:
        rows = Text("about {rows}", rows=rows)
    return Text(
        "{snapshot}: snapshot {id} of {rows} in {columns}, schema {hash}",
        snapshot=str(snapshot),
        id=snapshot.id,
        rows=rows,
        columns=format_count(len(snapshot.columns), "column"),
        hash=snapshot.schema_hash[:HASH_DIGITS],
    )


def capture_result_text(result: CaptureResult) -> Text:
    if result.snapshot:
        return capture_text(result.snapshot)
    return Text("{view}: not captured. {cause}", view=result.table_name, cause=result.error)


def comparison_blocks(comparison: SnapshotComparison, *, show_all: bool) -> Iterator[Block]:
    base, other = comparison.base, comparison.compare
    yield Text(
        "{base} (snapshot {base_id}) → {other} (snapshot {other_id})",
        base=str(base),
        base_id=base.id,
        other=str(other),
        other_id=other.id,
    )
    width = max(len(translated(word)) for word in SEVERITY_WORDS.values())
    counts = dict.fromkeys(reversed(Severity), 0)
    for finding in comparison.findings:
        counts[finding.severity] += 1
        if show_all or finding.severity:
            severity = translated(SEVERITY_WORDS[finding.severity]).ljust(width)
            line = Text.joined([f"  {severity}", describe_finding(finding)], "  ")
            yield line, _SEVERITY_STYLES[finding.severity]
    minor_count = counts.pop(Severity.NONE)
    totals = [_SEVERITY_COUNTS[severity].with_number(number) for severity, number in counts.items() if number]
    if minor_count:
        totals.append(Text("{differences} of no severity", differences=format_count(minor_count, "difference")))
    text = Text.joined(totals or [Text("No difference")])
    if minor_count and not show_all:
        text = Text("{differences} (--everything shows them)", differences=text)
    yield Text.joined([text, "."], ""), _SEVERITY_STYLES[comparison.severity]

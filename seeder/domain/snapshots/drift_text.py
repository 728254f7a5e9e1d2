"""Texts of differences between snapshots, for terminals and pages."""

from collections.abc import Mapping

from seeder.domain.snapshots.drift_rules import DifferenceKind, Severity
from seeder.domain.snapshots.snapshot_drift import Finding

# The label and the explanation of each difference.
DIFFERENCE_TEXTS: Mapping[DifferenceKind, tuple[str, str]] = {
    DifferenceKind.COLUMN_ADDED: ("column added", "The view has a new column. Readers of all columns get one more."),
    DifferenceKind.COLUMN_REMOVED: ("column removed", "Queries that read this column now fail."),
    DifferenceKind.COLUMN_RETYPED: (
        "type changed",
        "Queries that compute with this column, or compare it, may fail or return other results.",
    ),
    DifferenceKind.COLUMN_REORDERED: (
        "columns in another order",
        "Readers of columns by position, such as exports, get other columns.",
    ),
    DifferenceKind.NULLABILITY: ("nullability changed", "The column's NOT NULL constraint was added or removed."),
    DifferenceKind.DEFINITION: ("definition changed", "The view has another query. Its result may be the same."),
    DifferenceKind.ROWS: ("rows", "Number of rows in the view."),
    DifferenceKind.NULL_SHARE: ("share of nulls", "Share of rows without a value in this column."),
    DifferenceKind.DISTINCT: ("distinct values", "Number of different values in this column."),
    DifferenceKind.RANGE: ("range", "Smallest and largest value in this column."),
    DifferenceKind.TOP_VALUES: (
        "top values",
        "The most frequent values of this column or their shares changed. 0 is no change, 1 is nothing in common.",
    ),
}

SEVERITY_SUMMARIES: Mapping[Severity, str] = {
    Severity.BREAKING: "Breaking: readers of this view can fail or show wrong data.",
    Severity.NOTICE: "Notice: nothing breaks, but readers should know.",
    Severity.NONE: "No relevant changes.",
}

HASH_DIGITS = 12  # shown digits of a hash
_CONTROL_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def describe_finding(finding: Finding) -> str:
    """Describe a finding in one line."""
    column_prefix = f"{finding.column}: " if finding.column is not None else ""
    rule_suffix = f"  [{finding.rule_text}]" if finding.rule_text else ""
    return f"{column_prefix}{DIFFERENCE_TEXTS[finding.kind][0]} {describe_change(finding)}{rule_suffix}"


def describe_change(finding: Finding) -> str:
    """Describe the change from base to compare, and whether it is estimated."""
    return f"{_format_change(finding)}{'' if finding.exact else ' (estimated)'}"


def _format_change(finding: Finding) -> str:
    match finding.kind:
        case DifferenceKind.COLUMN_ADDED | DifferenceKind.COLUMN_REMOVED:
            return f"({_value_or_none(finding.compare or finding.base)})"
        case DifferenceKind.DEFINITION:
            return f"{str(finding.base)[:HASH_DIGITS]} → {str(finding.compare)[:HASH_DIGITS]}"
        case DifferenceKind.NULL_SHARE:
            return f"{finding.base:.1%} → {finding.compare:.1%}"
        case DifferenceKind.ROWS | DifferenceKind.DISTINCT:
            relative = "" if finding.relative is None else f" ({finding.relative:+.1%})"
            return f"{finding.base:,} → {finding.compare:,}{relative}"
        case _:
            distance = f"at a distance of {finding.relative:.2f}: " if finding.kind is DifferenceKind.TOP_VALUES else ""
            return f"{distance}{_value_or_none(finding.base)} → {_value_or_none(finding.compare)}"


def _value_or_none(value: object) -> str:
    """Escape control characters, so that data cannot control a terminal."""
    return "none" if value in {None, ""} else str(value).translate(_CONTROL_ESCAPES)

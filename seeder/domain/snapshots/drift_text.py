"""What a comparison of two snapshots found, as people read it: on a terminal and on a page."""

from collections.abc import Mapping

from seeder.domain.snapshots.drift_rules import DifferenceKind, Severity
from seeder.domain.snapshots.snapshot_drift import Finding

DIFFERENCE_LABELS: Mapping[DifferenceKind, str] = {
    DifferenceKind.COLUMN_ADDED: "column added",
    DifferenceKind.COLUMN_REMOVED: "column removed",
    DifferenceKind.COLUMN_RETYPED: "type changed",
    DifferenceKind.COLUMN_REORDERED: "columns in another order",
    DifferenceKind.NULLABILITY: "nullability changed",
    DifferenceKind.DEFINITION: "definition changed",
    DifferenceKind.ROWS: "rows",
    DifferenceKind.NULL_SHARE: "share of nulls",
    DifferenceKind.DISTINCT: "distinct values",
    DifferenceKind.RANGE: "range",
    DifferenceKind.TOP_VALUES: "top values",
}

# For who does not know what the words are about.
DIFFERENCE_EXPLANATIONS: Mapping[DifferenceKind, str] = {
    DifferenceKind.COLUMN_ADDED: "The view has a column that it did not have. Who reads all columns gets one more.",
    DifferenceKind.COLUMN_REMOVED: "Whatever reads this column fails from now on.",
    DifferenceKind.COLUMN_RETYPED: "Whoever computes with this column, or compares it, may get errors or other"
    " results.",
    DifferenceKind.COLUMN_REORDERED: "Who reads the columns by their position, as exports do, gets others.",
    DifferenceKind.NULLABILITY: "Whether the column may be empty is declared differently.",
    DifferenceKind.DEFINITION: "The query behind the view is another one. What it gives may be the same.",
    DifferenceKind.ROWS: "The number of rows in the view.",
    DifferenceKind.NULL_SHARE: "Which part of the rows has nothing in this column.",
    DifferenceKind.DISTINCT: "How many different values there are in this column.",
    DifferenceKind.RANGE: "The smallest and the largest value in this column.",
    DifferenceKind.TOP_VALUES: "The most frequent values in this column are others, or as frequent as they were no"
    " more;"
    " 0 is no change, 1 is nothing in common.",
}

SEVERITY_SUMMARIES: Mapping[Severity, str] = {
    Severity.BREAKING: "Breaking: what reads this view can fail, or show something wrong.",
    Severity.NOTICE: "Worth a look: nothing breaks by itself, but somebody should know.",
    Severity.NONE: "Nothing of consequence has changed.",
}

HASH_DIGITS = 12  # of a hash that people get to see
_CONTROL_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def describe_finding(finding: Finding) -> str:
    """The whole finding, in one line."""
    column_prefix = f"{finding.column}: " if finding.column is not None else ""
    rule_suffix = f"  [{finding.rule}]" if finding.rule and str(finding.rule) != finding.kind else ""
    return f"{column_prefix}{DIFFERENCE_LABELS[finding.kind]} {describe_change(finding)}{rule_suffix}"


def describe_change(finding: Finding) -> str:
    """From what to what, and whether that is estimated."""
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
    """Values come out of somebody's data: they shall not draw on a terminal, nor begin a line."""
    return "none" if value in {None, ""} else str(value).translate(_CONTROL_ESCAPES)

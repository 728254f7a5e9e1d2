"""Texts of differences between snapshots, for terminals and pages."""

from collections.abc import Mapping

from seeder.domain.snapshots.drift_rules import DifferenceKind, Severity
from seeder.domain.snapshots.snapshot_drift import Finding
from seeder.texts import Text

# The label and the explanation of each difference.
DIFFERENCE_TEXTS: Mapping[DifferenceKind, tuple[Text, Text]] = {
    DifferenceKind.COLUMN_ADDED: (
        Text("column added"),
        Text("The view has a new column. Readers of all columns get one more."),
    ),
    DifferenceKind.COLUMN_REMOVED: (Text("column removed"), Text("Queries that read this column now fail.")),
    DifferenceKind.COLUMN_RETYPED: (
        Text("type changed"),
        Text("Queries that compute with this column, or compare it, may fail or return other results."),
    ),
    DifferenceKind.COLUMN_REORDERED: (
        Text("columns in another order"),
        Text("Readers of columns by position, such as exports, get other columns."),
    ),
    DifferenceKind.NULLABILITY: (
        Text("nullability changed"),
        Text("The column's NOT NULL constraint was added or removed."),
    ),
    DifferenceKind.DEFINITION: (
        Text("definition changed"),
        Text("The view has another query. Its result may be the same."),
    ),
    DifferenceKind.ROWS: (Text("rows"), Text("Number of rows in the view.")),
    DifferenceKind.NULL_SHARE: (Text("share of nulls"), Text("Share of rows without a value in this column.")),
    DifferenceKind.DISTINCT: (Text("distinct values"), Text("Number of different values in this column.")),
    DifferenceKind.RANGE: (Text("range"), Text("Smallest and largest value in this column.")),
    DifferenceKind.TOP_VALUES: (
        Text("top values"),
        Text(
            "The most frequent values of this column or their shares changed. 0 is no change, 1 is nothing in common."
        ),
    ),
}

SEVERITY_WORDS: Mapping[Severity, Text] = {
    Severity.NONE: Text.in_context("severity", "none"),
    Severity.NOTICE: Text("notice"),
    Severity.BREAKING: Text("breaking"),
}
SEVERITY_SUMMARIES: Mapping[Severity, Text] = {
    Severity.BREAKING: Text("Breaking: readers of this view can fail or show wrong data."),
    Severity.NOTICE: Text("Notice: nothing breaks, but readers should know."),
    Severity.NONE: Text("No relevant changes."),
}

HASH_DIGITS = 12  # shown digits of a hash
_CONTROL_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def describe_finding(finding: Finding) -> Text:
    """Describe a finding in one line."""
    text = Text("{label} {change}", label=DIFFERENCE_TEXTS[finding.kind][0], change=describe_change(finding))
    if finding.column is not None:
        text = Text("{column}: {text}", column=finding.column, text=text)
    return Text("{text}  [{rule}]", text=text, rule=finding.rule_text) if finding.rule_text else text


def describe_change(finding: Finding) -> Text:
    """Describe the change from base to compare, and whether it is estimated."""
    change = _change_text(finding)
    return change if finding.exact else Text("{change} (estimated)", change=change)


def _change_text(finding: Finding) -> Text:
    base, compare, relative = finding.base, finding.compare, finding.relative
    text = Text("{old} → {new}", old=_value_or_none(base), new=_value_or_none(compare))
    match finding.kind:
        case DifferenceKind.COLUMN_ADDED | DifferenceKind.COLUMN_REMOVED:
            text = Text("({type})", type=_value_or_none(compare or base))
        case DifferenceKind.DEFINITION:
            text = Text("{old} → {new}", old=str(base)[:HASH_DIGITS], new=str(compare)[:HASH_DIGITS])
        case DifferenceKind.NULL_SHARE:
            text = Text("{old:.1%} → {new:.1%}", old=base, new=compare)
        case DifferenceKind.ROWS | DifferenceKind.DISTINCT if relative is None:
            text = Text("{old:,} → {new:,}", old=base, new=compare)
        case DifferenceKind.ROWS | DifferenceKind.DISTINCT:
            text = Text("{old:,} → {new:,} ({relative:+.1%})", old=base, new=compare, relative=relative)
        case DifferenceKind.TOP_VALUES:
            text = Text("at a distance of {distance:.2f}: {change}", distance=relative, change=text)
    return text


def _value_or_none(value: object) -> str:
    """Escape control characters, so that data cannot control a terminal."""
    return Text.in_context("value", "none") if value in {None, ""} else str(value).translate(_CONTROL_ESCAPES)

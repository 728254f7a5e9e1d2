"""What a comparison of two snapshots found, as people read it: on a terminal and on a page."""

from collections.abc import Mapping

from seeder.domain.drift import Finding
from seeder.domain.drift_rules import Kind, Severity

WORDS: Mapping[Kind, str] = {
    Kind.COLUMN_ADDED: "column added",
    Kind.COLUMN_REMOVED: "column removed",
    Kind.COLUMN_RETYPED: "type changed",
    Kind.COLUMN_REORDERED: "columns in another order",
    Kind.NULLABILITY: "nullability changed",
    Kind.DEFINITION: "definition changed",
    Kind.ROWS: "rows",
    Kind.NULL_SHARE: "share of nulls",
    Kind.DISTINCT: "distinct values",
    Kind.RANGE: "range",
    Kind.TOP_VALUES: "top values",
}

# For who does not know what the words are about.
MEANINGS: Mapping[Kind, str] = {
    Kind.COLUMN_ADDED: "The view has a column that it did not have. Who reads all columns gets one more.",
    Kind.COLUMN_REMOVED: "Whatever reads this column fails from now on.",
    Kind.COLUMN_RETYPED: "Whoever computes with this column, or compares it, may get errors or other results.",
    Kind.COLUMN_REORDERED: "Who reads the columns by their position, as exports do, gets others.",
    Kind.NULLABILITY: "Whether the column may be empty is declared differently.",
    Kind.DEFINITION: "The query behind the view is another one. What it gives may be the same.",
    Kind.ROWS: "The number of rows in the view.",
    Kind.NULL_SHARE: "Which part of the rows has nothing in this column.",
    Kind.DISTINCT: "How many different values there are in this column.",
    Kind.RANGE: "The smallest and the largest value in this column.",
    Kind.TOP_VALUES: "The most frequent values in this column are others, or as frequent as they were no more;"
    " 0 is no change, 1 is nothing in common.",
}

VERDICTS: Mapping[Severity, str] = {
    Severity.BREAKING: "Breaking: what reads this view can fail, or show something wrong.",
    Severity.NOTICE: "Worth a look: nothing breaks by itself, but somebody should know.",
    Severity.NONE: "Nothing of consequence has changed.",
}

HASH_DIGITS = 12  # of a hash that people get to see
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def sentence(finding: Finding) -> str:
    """The whole finding, in one line."""
    of = f"{finding.column}: " if finding.column is not None else ""
    why = f"  [{finding.rule}]" if finding.rule and str(finding.rule) != finding.kind else ""
    return f"{of}{WORDS[finding.kind]} {change(finding)}{why}"


def change(finding: Finding) -> str:
    """From what to what, and whether that is estimated."""
    return f"{_change(finding)}{'' if finding.exact else ' (estimated)'}"


def _change(finding: Finding) -> str:
    match finding.kind:
        case Kind.COLUMN_ADDED | Kind.COLUMN_REMOVED:
            return f"({_or_none(finding.compare or finding.base)})"
        case Kind.DEFINITION:
            return f"{str(finding.base)[:HASH_DIGITS]} → {str(finding.compare)[:HASH_DIGITS]}"
        case Kind.NULL_SHARE:
            return f"{finding.base:.1%} → {finding.compare:.1%}"
        case Kind.ROWS | Kind.DISTINCT:
            relative = "" if finding.relative is None else f" ({finding.relative:+.1%})"
            return f"{finding.base:,} → {finding.compare:,}{relative}"
        case _:
            distance = f"at a distance of {finding.relative:.2f}: " if finding.kind is Kind.TOP_VALUES else ""
            return f"{distance}{_or_none(finding.base)} → {_or_none(finding.compare)}"


def _or_none(what: object) -> str:
    """Values come out of somebody's data: they shall not draw on a terminal, nor begin a line."""
    return "none" if what in {None, ""} else str(what).translate(_CONTROLS)

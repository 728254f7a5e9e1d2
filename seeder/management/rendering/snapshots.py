"""Snapshots and their comparisons, for people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seeder.domain.documents import as_document
from seeder.domain.drift import Comparison, Finding
from seeder.domain.drift_rules import Kind, Severity
from seeder.domain.snapshots import Snapshot
from seeder.management.rendering.figures import count
from seeder.services.capturing import Captured

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_HASH = 12  # digits of a hash that people get to see
_WORDS = {
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


def captured(snapshot: Snapshot) -> str:
    """What was recorded, in one line."""
    rows = count(snapshot.figures.rows, "row")
    about = "" if snapshot.figures.exact else "about "
    return (
        f"{snapshot}: snapshot {snapshot.id} of {about}{rows} in {count(len(snapshot.shape.columns), 'column')},"
        f" schema {snapshot.shape.schema_hash[:_HASH]}"
    )


def ending(one: Captured) -> str:
    """How the capture of one of several views ended, in one line."""
    return captured(one.snapshot) if one.snapshot else f"{one.table_name}: not captured. {one.error}"


def each_as_document(ended: Sequence[Captured]) -> Mapping[str, Any]:
    return {
        "captured": [as_document(one.snapshot) for one in ended if one.snapshot],
        "failed": [{"tableName": one.table_name, "error": one.error} for one in ended if not one.snapshot],
    }


def comparison_lines(comparison: Comparison, *, everything: bool) -> Iterator[tuple[str, Severity]]:
    """A line each, with how much it matters."""
    base, other = comparison.base, comparison.compare
    yield f"{base} (snapshot {base.id}) → {other} (snapshot {other.id})", Severity.NONE
    shown = [finding for finding in comparison.findings if everything or finding.severity]
    for finding in shown:
        yield f"  {finding.severity!s:<8}  {_sentence(finding)}", finding.severity
    totals = [(one, sum(finding.severity is one for finding in comparison.findings)) for one in reversed(Severity)]
    told = ", ".join(f"{number} {severity}" for severity, number in totals if number and severity)
    without = dict(totals)[Severity.NONE]
    rest = f"{count(without, 'difference')} of no severity" if without else ""
    hidden = "" if everything or not without else " (--everything shows them)"
    yield f"{', '.join(part for part in (told, rest) if part) or 'No difference'}{hidden}.", comparison.severity


def _sentence(finding: Finding) -> str:
    of = f"{finding.column}: " if finding.column is not None else ""
    why = f"  [{finding.rule}]" if finding.rule and str(finding.rule) != finding.kind else ""
    about = "" if finding.exact else " (estimated)"
    return f"{of}{_WORDS[finding.kind]} {_change(finding)}{about}{why}"


def _change(finding: Finding) -> str:
    match finding.kind:
        case Kind.COLUMN_ADDED | Kind.COLUMN_REMOVED:
            return f"({_or_none(finding.compare or finding.base)})"
        case Kind.DEFINITION:
            return f"{str(finding.base)[:_HASH]} → {str(finding.compare)[:_HASH]}"
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

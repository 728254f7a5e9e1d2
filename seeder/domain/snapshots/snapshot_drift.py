"""Differences between two snapshots, with their severity."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import TypedDict

from seeder.domain.snapshots.distribution_distance import top_values_distance
from seeder.domain.snapshots.drift_rules import DEFAULT_RULES, DifferenceKind, DriftRule, Severity, highest_severity
from seeder.domain.snapshots.snapshot_contents import ColumnStatistics, Snapshot
from seeder.domain.snapshots.view_shape import ViewColumn

_NUMERIC_TYPES = re.compile(r"smallint|integer|bigint|numeric(\(.*\))?|real|double precision")
_VERSION_NUM_PER_MAJOR = 10000  # of a server's version number
_MAX_SHOWN_TOP_VALUES = 5  # in a finding


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A difference, with its numbers and the rule that sets its severity."""

    kind: DifferenceKind
    column: str | None = None  # None if it concerns the whole view
    base: str | int | float | None = None
    compare: str | int | float | None = None
    absolute: float | None = None  # signed, in the unit of the kind's rules; None: no size
    relative: float | None = None  # signed; None: no size, or the base is zero
    severity: Severity = Severity.NONE
    rule: DriftRule | None = None  # None if none matches
    exact: bool = True  # False: one of the values is an estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class SnapshotComparison:
    """Two snapshots and their differences, most severe first."""

    base: Snapshot
    compare: Snapshot
    findings: tuple[Finding, ...]

    @property
    def severity(self) -> Severity:
        return max((finding.severity for finding in self.findings), default=Severity.NONE)


def compare_snapshots(
    base: Snapshot, other: Snapshot, rules: Sequence[DriftRule] = DEFAULT_RULES
) -> SnapshotComparison:
    """Return all differences, even without severity."""
    differences = [
        *_compare_columns(base.shape.columns, other.shape.columns),
        *_compare_definitions(base, other),
        *_compare_row_counts(base, other),
        *_compare_statistics(base, other),
    ]
    findings = [_apply_rules(finding, rules) for finding in differences]
    return SnapshotComparison(
        base=base, compare=other, findings=tuple(sorted(findings, key=lambda finding: -finding.severity))
    )


def _apply_rules(finding: Finding, rules: Sequence[DriftRule]) -> Finding:
    highest, rule = highest_severity(rules, finding.kind, absolute=finding.absolute, relative=finding.relative)
    return replace(finding, severity=highest, rule=rule)


def _compare_columns(base: Sequence[ViewColumn], other: Sequence[ViewColumn]) -> Iterator[Finding]:
    before, after = ({column.name: column for column in columns} for columns in (base, other))
    for name in [name for name in before if name not in after]:
        yield Finding(kind=DifferenceKind.COLUMN_REMOVED, column=name, base=before[name].type)
    for name in [name for name in after if name not in before]:
        yield Finding(kind=DifferenceKind.COLUMN_ADDED, column=name, compare=after[name].type)
    common_names, common_names_now = (
        [name for name in before if name in after],
        [name for name in after if name in before],
    )
    for name in common_names:
        was, now = before[name], after[name]
        if was.type != now.type:
            yield Finding(kind=DifferenceKind.COLUMN_RETYPED, column=name, base=was.type, compare=now.type)
        if was.nullable != now.nullable:
            labels = {True: "nullable", False: "not null"}
            yield Finding(
                kind=DifferenceKind.NULLABILITY, column=name, base=labels[was.nullable], compare=labels[now.nullable]
            )
    if common_names != common_names_now:
        yield Finding(
            kind=DifferenceKind.COLUMN_REORDERED, base=", ".join(common_names), compare=", ".join(common_names_now)
        )


def _compare_definitions(base: Snapshot, other: Snapshot) -> Iterator[Finding]:
    """Compare definitions, unless different major versions may print the same query differently."""
    versions = {snapshot.shape.server_version // _VERSION_NUM_PER_MAJOR for snapshot in (base, other)}
    if len(versions) == 1 and base.shape.definition_hash != other.shape.definition_hash:
        yield Finding(
            kind=DifferenceKind.DEFINITION, base=base.shape.definition_hash, compare=other.shape.definition_hash
        )


def _compare_row_counts(base: Snapshot, other: Snapshot) -> Iterator[Finding]:
    was, now = base.statistics.row_count, other.statistics.row_count
    if was != now:
        exact = base.statistics.exact and other.statistics.exact
        yield Finding(kind=DifferenceKind.ROWS, base=was, compare=now, exact=exact, **_count_change(was, now))


def _compare_statistics(base: Snapshot, other: Snapshot) -> Iterator[Finding]:
    for column in base.shape.columns:
        if column.name in other.statistics.columns:
            yield from _compare_column_statistics(column.name, base, other)


def _compare_column_statistics(name: str, base: Snapshot, other: Snapshot) -> Iterator[Finding]:
    was, now = base.statistics.columns[name], other.statistics.columns[name]
    rows, now_rows = base.statistics.row_count, other.statistics.row_count
    finding = partial(Finding, column=name, exact=was.exact and now.exact)
    if was.nulls is not None and now.nulls is not None and rows and now_rows:
        share, now_share = Fraction(was.nulls, rows), Fraction(now.nulls, now_rows)
        share_change = now_share - share  # as a difference of floats, 5 points may be less than 0.05
        if share_change:
            size: _ChangeSize = {"absolute": float(share_change * max(rows, now_rows)), "relative": float(share_change)}
            yield finding(kind=DifferenceKind.NULL_SHARE, base=float(share), compare=float(now_share), **size)
    if was.distinct is not None and now.distinct is not None and was.distinct != now.distinct:
        size = _count_change(was.distinct, now.distinct)
        yield finding(kind=DifferenceKind.DISTINCT, base=was.distinct, compare=now.distinct, **size)
    if (was.minimum, was.maximum) != (now.minimum, now.maximum) and _has_known_range(was) and _has_known_range(now):
        is_numeric = all(_is_number(name, snapshot) for snapshot in (base, other))
        size = _range_growth(was, now) if is_numeric else {}
        yield finding(kind=DifferenceKind.RANGE, base=_format_range(was), compare=_format_range(now), **size)
    if was.top is not None and now.top is not None and was.nulls is not None and now.nulls is not None:
        non_null_rows, now_non_null_rows = rows - was.nulls, now_rows - now.nulls
        distance = top_values_distance(was.top, non_null_rows, now.top, now_non_null_rows)
        if distance:
            size = {"absolute": float(max(non_null_rows, now_non_null_rows)), "relative": distance}
            yield finding(
                kind=DifferenceKind.TOP_VALUES, base=_format_top_values(was), compare=_format_top_values(now), **size
            )


class _ChangeSize(TypedDict, total=False):
    """Size of a finding."""

    absolute: float | None
    relative: float | None


def _count_change(was: int, now: int) -> _ChangeSize:
    """Return the absolute and relative change. Without a base the relative change is None."""
    return {"absolute": float(now - was), "relative": (now - was) / was if was else None}


def _format_range(figures: ColumnStatistics) -> str | None:
    return None if figures.minimum is None else f"{figures.minimum} … {figures.maximum}"


def _has_known_range(figures: ColumnStatistics) -> bool:
    """Return whether the range is known. An estimate has none if the sample had no comparable value."""
    return figures.exact or figures.minimum is not None


def _format_top_values(figures: ColumnStatistics) -> str:
    shown = [f"{top.value} ({top.count})" for top in (figures.top or ())[:_MAX_SHOWN_TOP_VALUES]]
    return ", ".join(shown + ["…"] * (len(figures.top or ()) > _MAX_SHOWN_TOP_VALUES))


def _is_number(name: str, snapshot: Snapshot) -> bool:
    return any(column.name == name and _NUMERIC_TYPES.fullmatch(column.type) for column in snapshot.shape.columns)


def _range_growth(was: ColumnStatistics, now: ColumnStatistics) -> _ChangeSize:
    """Return how much wider a numeric range became, or nothing if a width is not finite."""
    try:
        minimum, maximum, now_minimum, now_maximum = (
            Fraction(end or "") for end in (was.minimum, was.maximum, now.minimum, now.maximum)
        )
        growth = (now_maximum - now_minimum) - (maximum - minimum)
        return {
            "absolute": float(growth),
            "relative": float(growth / (maximum - minimum)) if maximum > minimum else None,
        }
    except (ValueError, OverflowError):  # no value, NaN, an infinity, or too large for a float
        return {}

"""Differences between two snapshots, with their severity."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

from seeder.domain.snapshots.distribution_distance import top_values_distance
from seeder.domain.snapshots.drift_rules import DifferenceKind, DriftRule, Severity
from seeder.domain.snapshots.snapshot_contents import ColumnStatistics, Snapshot, TopValue

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
    rule: DriftRule | None = None  # the strictest matching rule
    exact: bool = True  # False: one of the values is an estimate

    @property
    def severity(self) -> Severity:
        return self.rule.severity if self.rule else Severity.NONE

    @property
    def rule_text(self) -> str:
        """The rule, unless it only repeats the kind."""
        return str(self.rule) if self.rule and str(self.rule) != self.kind else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SnapshotComparison:
    """Two snapshots and their differences, most severe first."""

    base: Snapshot
    compare: Snapshot
    findings: tuple[Finding, ...]

    @property
    def severity(self) -> Severity:
        return max((finding.severity for finding in self.findings), default=Severity.NONE)


def compare_snapshots(base: Snapshot, other: Snapshot, rules: Sequence[DriftRule]) -> SnapshotComparison:
    """Return all differences, even without severity."""
    differences = [
        *_compare_columns(base, other),
        *_compare_definitions(base, other),
        *_compare_row_counts(base, other),
        *(
            finding
            for column in base.columns
            if column.name in other.statistics.columns
            for finding in _compare_statistics(column.name, base, other)
        ),
    ]
    findings = [replace(finding, rule=_strictest_rule(rules, finding)) for finding in differences]
    findings.sort(key=lambda finding: -finding.severity)
    return SnapshotComparison(base=base, compare=other, findings=tuple(findings))


def _strictest_rule(rules: Sequence[DriftRule], finding: Finding) -> DriftRule | None:
    matching = [rule for rule in rules if rule.matches(finding.kind, finding.absolute, finding.relative)]
    return max(matching, key=lambda rule: rule.severity, default=None)


def _compare_columns(base: Snapshot, other: Snapshot) -> Iterator[Finding]:
    before, after = ({column.name: column for column in each.columns} for each in (base, other))
    for name in [name for name in before if name not in after]:
        yield Finding(kind=DifferenceKind.COLUMN_REMOVED, column=name, base=before[name].type)
    for name in [name for name in after if name not in before]:
        yield Finding(kind=DifferenceKind.COLUMN_ADDED, column=name, compare=after[name].type)
    common_names = [name for name in before if name in after]
    for name in common_names:
        was, now = before[name], after[name]
        if was.type != now.type:
            yield Finding(kind=DifferenceKind.COLUMN_RETYPED, column=name, base=was.type, compare=now.type)
        if was.nullable != now.nullable:
            labels = ("not null", "nullable") if now.nullable else ("nullable", "not null")
            yield Finding(kind=DifferenceKind.NULLABILITY, column=name, base=labels[0], compare=labels[1])
    common_names_now = [name for name in after if name in before]
    if common_names != common_names_now:
        names, names_now = ", ".join(common_names), ", ".join(common_names_now)
        yield Finding(kind=DifferenceKind.COLUMN_REORDERED, base=names, compare=names_now)


def _compare_definitions(base: Snapshot, other: Snapshot) -> Iterator[Finding]:
    """Compare definitions, unless different major versions may print the same query differently."""
    versions = {each.server_version // _VERSION_NUM_PER_MAJOR for each in (base, other)}
    was, now = base.definition_hash, other.definition_hash
    if len(versions) == 1 and was != now:
        yield Finding(kind=DifferenceKind.DEFINITION, base=was, compare=now)


def _compare_row_counts(base: Snapshot, other: Snapshot) -> Iterator[Finding]:
    exact = base.statistics.exact and other.statistics.exact
    yield from _compare_counts(DifferenceKind.ROWS, base.statistics.row_count, other.statistics.row_count, exact=exact)


def _compare_counts(
    kind: DifferenceKind, was: int | None, now: int | None, *, exact: bool, column: str | None = None
) -> Iterator[Finding]:
    if was is not None and now is not None and was != now:
        absolute, relative = float(now - was), (now - was) / was if was else None
        yield Finding(
            kind=kind, column=column, base=was, compare=now, absolute=absolute, relative=relative, exact=exact
        )


def _compare_statistics(column: str, base: Snapshot, other: Snapshot) -> Iterator[Finding]:
    was, now = base.statistics.columns[column], other.statistics.columns[column]
    rows, now_rows = base.statistics.row_count, other.statistics.row_count
    exact = was.exact and now.exact
    finding = partial(Finding, column=column, exact=exact)
    if was.nulls is not None and now.nulls is not None and rows and now_rows:
        share, now_share = Fraction(was.nulls, rows), Fraction(now.nulls, now_rows)
        change = now_share - share  # as a difference of floats, 5 points may be less than 0.05
        if change:
            kind, absolute = DifferenceKind.NULL_SHARE, float(change * max(rows, now_rows))
            yield finding(
                kind=kind, base=float(share), compare=float(now_share), absolute=absolute, relative=float(change)
            )
    yield from _compare_counts(DifferenceKind.DISTINCT, was.distinct, now.distinct, column=column, exact=exact)
    if (was.minimum, was.maximum) != (now.minimum, now.maximum) and _has_known_range(was) and _has_known_range(now):
        is_numeric = all(_is_number(column, snapshot) for snapshot in (base, other))
        growth, relative = _range_growth(was, now) if is_numeric else (None, None)
        before, after = _format_range(was), _format_range(now)
        yield finding(kind=DifferenceKind.RANGE, base=before, compare=after, absolute=growth, relative=relative)
    if was.top is not None and now.top is not None and was.nulls is not None and now.nulls is not None:
        non_null_rows, now_non_null_rows = rows - was.nulls, now_rows - now.nulls
        distance = top_values_distance(was.top, non_null_rows, now.top, now_non_null_rows)
        if distance:
            top, now_top = _format_top_values(was.top), _format_top_values(now.top)
            size = float(max(non_null_rows, now_non_null_rows))
            yield finding(kind=DifferenceKind.TOP_VALUES, base=top, compare=now_top, absolute=size, relative=distance)


def _format_range(figures: ColumnStatistics) -> str | None:
    return None if figures.minimum is None else f"{figures.minimum} … {figures.maximum}"


def _has_known_range(figures: ColumnStatistics) -> bool:
    """Return False for an estimate from a sample without comparable values."""
    return figures.exact or figures.minimum is not None


def _format_top_values(values: Sequence[TopValue]) -> str:
    shown = [f"{top.value} ({top.count})" for top in values[:_MAX_SHOWN_TOP_VALUES]]
    return ", ".join(shown + ["…"] * (len(values) > _MAX_SHOWN_TOP_VALUES))


def _is_number(name: str, snapshot: Snapshot) -> bool:
    return any(column.name == name and _NUMERIC_TYPES.fullmatch(column.type) for column in snapshot.columns)


def _range_growth(was: ColumnStatistics, now: ColumnStatistics) -> tuple[float | None, float | None]:
    """Return the absolute and relative growth, or None if not finite."""
    try:
        minimum, maximum, now_minimum, now_maximum = (
            Fraction(end or "") for end in (was.minimum, was.maximum, now.minimum, now.maximum)
        )
        width, growth = maximum - minimum, (now_maximum - now_minimum) - (maximum - minimum)
        return float(growth), float(growth / width) if width > 0 else None
    except (ValueError, OverflowError):  # no value, NaN, an infinity, or too large for a float
        return None, None

"""Differences of two snapshots, at the exact limits of the rules."""

from typing import Any

import pytest

from seeder.domain.snapshots.drift_rules import DEFAULT_RULES, DifferenceKind, Direction, DriftRule, Severity
from seeder.domain.snapshots.snapshot_contents import Snapshot
from seeder.domain.snapshots.snapshot_drift import Finding, SnapshotComparison, compare_snapshots
from tests.unit.domain.snapshot_values import columns, snapshot, top_values


def compare(base: Snapshot, other: Snapshot) -> SnapshotComparison:
    return compare_snapshots(base, other, DEFAULT_RULES)


def findings_by_kind(base: Snapshot, other: Snapshot) -> dict[tuple[DifferenceKind, str | None], Finding]:
    return {(finding.kind, finding.column): finding for finding in compare(base, other).findings}


def only_finding(base: Snapshot, other: Snapshot) -> Finding:
    [finding] = compare(base, other).findings
    return finding


def test_snapshot_does_not_differ_from_itself() -> None:
    comparison = compare(snapshot(), snapshot())
    assert comparison.findings == ()
    assert comparison.severity is Severity.NONE


def test_every_change_of_columns_is_found() -> None:
    base = snapshot(columns("kept", "gone", "moved", typed="numeric(10,2)", strict="text NOT NULL"))
    other = snapshot(columns("moved", "kept", "new", typed="numeric(12,2)", strict="text"))
    by_kind = {
        kind: (finding.column, finding.base, finding.compare, finding.severity)
        for (kind, _), finding in findings_by_kind(base, other).items()
    }
    assert by_kind == {
        DifferenceKind.COLUMN_REMOVED: ("gone", "integer", None, Severity.BREAKING),
        DifferenceKind.COLUMN_RETYPED: ("typed", "numeric(10,2)", "numeric(12,2)", Severity.BREAKING),
        DifferenceKind.COLUMN_ADDED: ("new", None, "integer", Severity.NOTICE),
        DifferenceKind.COLUMN_REORDERED: (
            None,
            "kept, moved, typed, strict",
            "moved, kept, typed, strict",
            Severity.NOTICE,
        ),
        DifferenceKind.NULLABILITY: ("strict", "not null", "nullable", Severity.NOTICE),
    }


def test_most_severe_findings_come_first() -> None:
    comparison = compare(snapshot(columns("a", "b")), snapshot(columns("b", "c"), rows=1001))
    severities = [finding.severity for finding in comparison.findings]
    assert severities == sorted(severities, reverse=True)
    assert comparison.severity is Severity.BREAKING


def test_definitions_are_compared_within_one_major_version() -> None:
    base = snapshot(definition="1" * 64)
    assert only_finding(base, snapshot(definition="2" * 64, server=180001)).kind is DifferenceKind.DEFINITION
    assert compare(base, snapshot(definition="2" * 64, server=150004)).findings == ()


@pytest.mark.parametrize(
    ("rows", "now", "severity"),
    [
        (1000, 1000, None),
        (1000, 901, Severity.NONE),
        (1000, 900, Severity.NOTICE),
        (1000, 501, Severity.NOTICE),
        (1000, 500, Severity.BREAKING),
        (100, 1, Severity.NONE),  # too few rows for a rule
        (100, 0, Severity.BREAKING),
        (1, 0, Severity.BREAKING),
        (1000, 1499, Severity.NONE),
        (1000, 1500, Severity.NOTICE),
        (0, 99, Severity.NONE),
        (0, 100, Severity.NOTICE),
    ],
)
def test_falling_row_count_matters_sooner_than_rising(rows: int, now: int, severity: Severity | None) -> None:
    findings = findings_by_kind(snapshot((), rows=rows), snapshot((), rows=now))
    finding = findings.get((DifferenceKind.ROWS, None))
    assert (finding and finding.severity) == severity
    if finding:
        assert (finding.base, finding.compare, finding.absolute) == (rows, now, now - rows)
        assert finding.relative == ((now - rows) / rows if rows else None)
        assert (finding.rule is None) == (severity is Severity.NONE)


@pytest.mark.parametrize(
    ("nulls", "now", "severity"),
    [
        (0, 99, Severity.NONE),
        (0, 100, Severity.NOTICE),
        (100, 0, Severity.NOTICE),
        (0, 999, Severity.NOTICE),
        (0, 1000, Severity.BREAKING),
        (1000, 0, Severity.NOTICE),
    ],
)
def test_null_share_matters_by_points_and_rows(nulls: int, now: int, severity: Severity) -> None:
    finding = only_finding(snapshot(rows=2000, a={"nulls": nulls}), snapshot(rows=2000, a={"nulls": now}))
    assert (finding.kind, finding.severity) == (DifferenceKind.NULL_SHARE, severity)
    assert (finding.base, finding.compare) == (nulls / 2000, now / 2000)


def test_same_null_count_in_twice_the_rows_is_a_smaller_share() -> None:
    findings = findings_by_kind(snapshot(rows=1000, a={"nulls": 500}), snapshot(rows=2000, a={"nulls": 500}))
    assert findings[DifferenceKind.NULL_SHARE, "a"].relative == -0.25


@pytest.mark.parametrize(
    ("distinct", "now", "severity"),
    [
        (100, 81, Severity.NONE),
        (100, 80, Severity.NOTICE),
        (100, 149, Severity.NONE),
        (100, 150, Severity.NOTICE),
        (10, 1, Severity.NONE),
        (12, 2, Severity.NOTICE),
    ],
)
def test_distinct_count_matters_by_share_and_difference(distinct: int, now: int, severity: Severity) -> None:
    finding = only_finding(snapshot(a={"distinct": distinct}), snapshot(a={"distinct": now}))
    assert (finding.kind, finding.severity) == (DifferenceKind.DISTINCT, severity)


def test_unknown_statistics_are_not_compared() -> None:
    unknown = {"nulls": None, "distinct": None, "minimum": None, "maximum": None, "exact": False}
    assert compare(snapshot(a=unknown), snapshot(a=unknown)).findings == ()
    assert compare(snapshot(a=unknown), snapshot()).findings == ()


@pytest.mark.parametrize(
    ("ends", "absolute", "relative"),
    [
        (("1", "17"), 8.0, 1.0),
        (("-7.5", "9"), 8.5, 1.0625),
        (("1", "NaN"), None, None),
        (("1", "Infinity"), None, None),
        (("2026-01-01", "2026-02-01"), None, None),
        ((None, None), None, None),
    ],
)
def test_range_of_numbers_is_reported_with_its_difference(
    ends: tuple[str | None, str | None], absolute: float | None, relative: float | None
) -> None:
    finding = only_finding(snapshot(), snapshot(a={"minimum": ends[0], "maximum": ends[1]}))
    assert (finding.kind, finding.base, finding.severity) == (DifferenceKind.RANGE, "1 … 9", Severity.NONE)
    assert (finding.absolute, finding.relative) == (absolute, relative)


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        ("text", ("1", "2")),
        ("text", ("1", "9E1234567")),
        ("numeric", ("1", "9" * 400)),
        ("double precision", ("-1.7e308", "1.7e308")),
        ("numeric", ("1", "Infinity")),
    ],
)
def test_range_without_finite_numbers_has_no_width(kind: str, ends: tuple[str, str]) -> None:
    base = snapshot(columns(a=kind))
    other = snapshot(columns(a=kind), a={"minimum": ends[0], "maximum": ends[1]})
    finding = only_finding(base, other)
    assert (finding.kind, finding.absolute, finding.relative) == (DifferenceKind.RANGE, None, None)


def test_view_without_rows_has_no_null_share() -> None:
    empty = snapshot(rows=0, a={"nulls": 0})
    filled = snapshot(rows=200, a={"nulls": 200})
    assert (DifferenceKind.NULL_SHARE, "a") not in findings_by_kind(empty, filled) | findings_by_kind(filled, empty)


@pytest.mark.parametrize(("nulls", "now", "severity"), [(2000, 7000, "breaking"), (1000, 1500, "notice")])
def test_points_are_counted_exactly(nulls: int, now: int, severity: str) -> None:
    assert (
        str(only_finding(snapshot(rows=10_000, a={"nulls": nulls}), snapshot(rows=10_000, a={"nulls": now})).severity)
        == severity
    )


def test_swapped_top_values_are_found_by_their_distance() -> None:
    base, other = (snapshot(a={"top": top}) for top in (top_values(x=900, y=100), top_values(y=900, x=100)))
    finding = only_finding(base, other)
    assert (finding.kind, finding.severity) == (DifferenceKind.TOP_VALUES, Severity.NOTICE)
    assert finding.relative
    assert 0.6 < finding.relative < 0.8
    assert finding.base == "x (900), y (100)"


def test_finding_from_estimates_is_not_exact() -> None:
    assert only_finding(snapshot(()), snapshot((), rows=1, exact=False)).exact is False
    assert only_finding(snapshot(a={"exact": False}), snapshot(a={"distinct": 9})).exact is False


def test_rule_matches_only_beyond_both_minimums_in_its_direction() -> None:
    rule = DriftRule(
        kind=DifferenceKind.ROWS, severity=Severity.NOTICE, absolute=10, relative=0.1, direction=Direction.RISING
    )
    for absolute, relative, fires in [(10, 0.1, True), (9, 0.9, False), (99, 0.09, False), (-10, -0.1, False)]:
        assert rule.matches(DifferenceKind.ROWS, absolute, relative) is fires
    assert rule.matches(DifferenceKind.ROWS, 10, None)
    assert not rule.matches(DifferenceKind.DISTINCT, 10, 0.1)
    assert str(rule) == "rows rising by 10% and 10 at least"


@pytest.mark.parametrize("rule", DEFAULT_RULES, ids=str)
def test_every_default_rule_can_match(rule: DriftRule) -> None:
    sign = -1 if rule.direction is Direction.FALLING else 1
    sized: Any = (sign * rule.absolute, sign * rule.relative) if rule.absolute else (None, None)
    assert rule.matches(rule.kind, *sized)

"""The drift check: new rows compared with accepted ones, by the rules of release snapshots.

Compared are columns, types, the number of rows and the shares of nulls. Distinct values and ranges would take as long
as a plain refresh.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from seeder.domain.data_checks.results import CheckOutcome, CheckResult, DataCheck, Figure, could_not_run
from seeder.domain.data_checks.rules import Drift
from seeder.domain.snapshots.drift_rules import DifferenceKind, DriftRule, Severity
from seeder.domain.snapshots.drift_text import DIFFERENCE_TEXTS, describe_change
from seeder.domain.snapshots.snapshot_contents import (
    ColumnStatistics,
    Release,
    Snapshot,
    ViewColumn,
    ViewStatistics,
)
from seeder.domain.snapshots.snapshot_drift import Finding, compare_snapshots
from seeder.domain.view_names import ViewName
from seeder.texts import Text

_COMPARED = {
    DifferenceKind.COLUMN_ADDED,
    DifferenceKind.COLUMN_REMOVED,
    DifferenceKind.COLUMN_RETYPED,
    DifferenceKind.COLUMN_REORDERED,
    DifferenceKind.ROWS,
    DifferenceKind.NULL_SHARE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftBase:
    """What new rows are compared with."""

    snapshot: Snapshot
    accepted_at: str | None = None  # in ISO 8601, of rows that a user has accepted; None for a release snapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRows:
    """Columns, each with its number of values, and the number of rows."""

    columns: Sequence[tuple[ViewColumn, int]]
    count: int


def judge_drift(
    check: DataCheck,
    rule: Drift,
    base: DriftBase | None,
    new: NewRows,
    *,
    rules: Sequence[DriftRule],
) -> CheckResult:
    """Compare new rows with a release snapshot, or with rows that a user has accepted since.

    Without any snapshot of the view the check passes. Without the one that the rule names it cannot run. The figures of
    a failure have the new columns, unless the rule names a release: so a user can accept them.
    """
    if base is None and rule.release_tag is not None:
        return could_not_run(
            check, message=Text("there is no release snapshot of the view at {tag}", tag=rule.release_tag)
        )
    if base is None:
        return CheckResult(check=check, outcome=CheckOutcome.PASSED, figures={"release": None, "rows": new.count})
    compared = compare_snapshots(base.snapshot, _snapshot(base.snapshot, new), rules)
    minimum = Severity[rule.severity.upper()]
    found = [one for one in compared.findings if one.kind in _COMPARED and one.severity >= minimum]
    figures: dict[str, Figure] = {
        "release": None if base.accepted_at else base.snapshot.release.tag,
        "accepted_at": base.accepted_at,
        "rows": new.count,
        "findings": [_finding(one) for one in found],
    }
    if found and rule.release_tag is None:
        figures["columns"] = [{**asdict(column), "nulls": new.count - values} for column, values in new.columns]
    return CheckResult(check=check, outcome=CheckOutcome.FAILED if found else CheckOutcome.PASSED, figures=figures)


def accepted_base(view: ViewName, figures: Mapping[str, Any], accepted_at: datetime) -> DriftBase:
    """Return the new rows of a failure that a user has accepted."""
    statistics = {one["name"]: ColumnStatistics(nulls=one["nulls"]) for one in figures["columns"]}
    snapshot = Snapshot(
        table_name=str(view),
        release=Release(tag="accepted rows"),
        columns=tuple(
            ViewColumn(name=one["name"], type=one["type"], nullable=one["nullable"]) for one in figures["columns"]
        ),
        definition_hash="",  # not compared
        server_version=0,
        statistics=ViewStatistics(row_count=figures["rows"], exact=True, columns=statistics),
        captured_at=accepted_at,
    )
    return DriftBase(snapshot=snapshot, accepted_at=accepted_at.isoformat())


def _snapshot(base: Snapshot, new: NewRows) -> Snapshot:
    statistics = {column.name: ColumnStatistics(nulls=new.count - values) for column, values in new.columns}
    return Snapshot(
        table_name=base.table_name,
        release=Release(tag="new rows"),
        columns=tuple(column for column, _ in new.columns),
        definition_hash=base.definition_hash,
        server_version=base.server_version,
        statistics=ViewStatistics(row_count=new.count, exact=True, columns=statistics),
        captured_at=base.captured_at,
    )


def _finding(finding: Finding) -> Mapping[str, Any]:
    return {
        "kind": finding.kind,
        "column": finding.column,
        "change": describe_change(finding),
        "relative": finding.relative,
    }


def drift_text(figures: Mapping[str, Any]) -> Text:
    """Return the differences in one line."""
    texts = []
    for one in figures["findings"]:
        text = Text("{label} {change}", label=DIFFERENCE_TEXTS[DifferenceKind(one["kind"])][0], change=one["change"])
        if one["column"] is not None:
            text = Text("{column}: {text}", column=one["column"], text=text)
        texts.append(text)
    differences = Text.joined(texts, "; ")
    if accepted_at := figures.get("accepted_at"):
        return Text(
            "it differs from what was accepted at {accepted_at}: {differences}",
            accepted_at=accepted_at,
            differences=differences,
        )
    return Text("it differs from release {release}: {differences}", release=figures["release"], differences=differences)


def is_drift_covered(accepted: Mapping[str, Any], figures: Mapping[str, Any]) -> bool:
    """Return whether each difference is among the accepted ones from the same base, and no larger."""
    seen = {(one["kind"], one["column"]): one for one in accepted.get("findings", ())}
    has_same_base = all(accepted.get(name) == figures[name] for name in ("release", "accepted_at"))
    return has_same_base and all(
        _is_no_larger(one, seen.get((one["kind"], one["column"]))) for one in figures["findings"]
    )


def _is_no_larger(finding: Mapping[str, Any], accepted: Mapping[str, Any] | None) -> bool:
    if accepted is None:
        return False
    size, seen = finding["relative"], accepted["relative"]
    if size is None or seen is None:
        return bool(finding["change"] == accepted["change"])
    return bool((size < 0) == (seen < 0) and abs(size) <= abs(seen))

"""Each finding has a label, an explanation and a summary."""

from seeder.domain.snapshots.drift_rules import DifferenceKind, Severity
from seeder.domain.snapshots.drift_text import (
    DIFFERENCE_TEXTS,
    SEVERITY_SUMMARIES,
    describe_change,
    describe_finding,
)
from seeder.domain.snapshots.snapshot_drift import Finding


def test_every_kind_and_severity_has_a_text() -> None:
    assert set(DIFFERENCE_TEXTS) == set(DifferenceKind)
    assert set(SEVERITY_SUMMARIES) == set(Severity)


def test_control_characters_in_a_value_are_escaped() -> None:
    retyped = Finding(kind=DifferenceKind.COLUMN_RETYPED, column="n", base="\x1b[2Jinteger", compare="", exact=False)
    assert describe_change(retyped) == "\\x1b[2Jinteger → none (estimated)"
    assert describe_finding(retyped) == "n: type changed \\x1b[2Jinteger → none (estimated)"

"""When a difference between two snapshots matters. The defaults are meant to be left switched on: what changes with
every day's data is no finding, and what breaks a reader of the view always is."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """How much it matters."""

    NONE = 0
    NOTICE = 1
    BREAKING = 2

    def __str__(self) -> str:
        return self.name.lower()


class DifferenceKind(StrEnum):
    """What differs."""

    COLUMN_ADDED = "column_added"
    COLUMN_REMOVED = "column_removed"
    COLUMN_RETYPED = "column_retyped"
    COLUMN_REORDERED = "column_reordered"
    NULLABILITY = "nullability"
    DEFINITION = "definition"
    ROWS = "rows"
    NULL_SHARE = "null_share"  # of all rows, from 0 to 1
    DISTINCT = "distinct"  # values of a column
    RANGE = "range"  # of a column: its least and its greatest value
    TOP_VALUES = "top_values"  # Jensen-Shannon distance of two columns' top values, from 0 to 1


class Direction(StrEnum):
    """Which way a figure has to go."""

    ANY = "any"
    RISING = "rising"
    FALLING = "falling"


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftRule:
    """A difference of this kind has this severity once it is both so large absolutely and so large relatively. What has
    no size, as a removed column, passes any minimum."""

    kind: DifferenceKind
    severity: Severity
    absolute: float = 0.0  # in the kind's own unit; of a null share, in rows
    relative: float = 0.0  # to the base; of what is a share or a distance itself, its difference
    direction: Direction = Direction.ANY

    def __str__(self) -> str:
        minimums = [f"{self.relative:.0%}"] * bool(self.relative) + [f"{self.absolute:g}"] * bool(self.absolute)
        way = [] if self.direction is Direction.ANY else [str(self.direction)]
        return " ".join([str(self.kind), *way, *([f"by {' and '.join(minimums)} at least"] if minimums else [])])

    def matches(self, kind: DifferenceKind, absolute: float | None, relative: float | None) -> bool:
        """Whether it applies to a difference, given with its sign; None for what has no size."""
        if kind is not self.kind:
            return False
        sign = (absolute or 0) or (relative or 0)
        if (self.direction is Direction.RISING and sign < 0) or (self.direction is Direction.FALLING and sign > 0):
            return False
        sizes = ((absolute, self.absolute), (relative, self.relative))
        return all(size is None or abs(size) >= least for size, least in sizes)


DEFAULT_RULES: Sequence[DriftRule] = (
    DriftRule(kind=DifferenceKind.COLUMN_REMOVED, severity=Severity.BREAKING),
    DriftRule(kind=DifferenceKind.COLUMN_RETYPED, severity=Severity.BREAKING),
    DriftRule(kind=DifferenceKind.COLUMN_REORDERED, severity=Severity.NOTICE),
    DriftRule(kind=DifferenceKind.COLUMN_ADDED, severity=Severity.NOTICE),
    DriftRule(kind=DifferenceKind.NULLABILITY, severity=Severity.NOTICE),
    DriftRule(kind=DifferenceKind.DEFINITION, severity=Severity.NOTICE),
    # A view that has lost all its rows is broken however few they were; one that has lost half of them probably is.
    DriftRule(
        kind=DifferenceKind.ROWS, severity=Severity.BREAKING, absolute=1, relative=1.0, direction=Direction.FALLING
    ),
    DriftRule(
        kind=DifferenceKind.ROWS, severity=Severity.BREAKING, absolute=100, relative=0.5, direction=Direction.FALLING
    ),
    DriftRule(
        kind=DifferenceKind.ROWS, severity=Severity.NOTICE, absolute=100, relative=0.1, direction=Direction.FALLING
    ),
    DriftRule(
        kind=DifferenceKind.ROWS, severity=Severity.NOTICE, absolute=100, relative=0.5, direction=Direction.RISING
    ),
    DriftRule(
        kind=DifferenceKind.NULL_SHARE,
        severity=Severity.BREAKING,
        absolute=100,
        relative=0.5,
        direction=Direction.RISING,
    ),
    DriftRule(kind=DifferenceKind.NULL_SHARE, severity=Severity.NOTICE, absolute=100, relative=0.05),
    DriftRule(
        kind=DifferenceKind.DISTINCT, severity=Severity.NOTICE, absolute=10, relative=0.2, direction=Direction.FALLING
    ),
    DriftRule(
        kind=DifferenceKind.DISTINCT, severity=Severity.NOTICE, absolute=10, relative=0.5, direction=Direction.RISING
    ),
    # As when an eighth of the rows goes from one of two equally frequent values to the other; of 100 rows at least.
    DriftRule(kind=DifferenceKind.TOP_VALUES, severity=Severity.NOTICE, absolute=100, relative=0.1),
)


def with_defaults(rules: Sequence[DriftRule]) -> Sequence[DriftRule]:
    """These and the defaults; a kind that has a rule here loses its defaults."""
    kinds = {rule.kind for rule in rules}
    return (*(rule for rule in DEFAULT_RULES if rule.kind not in kinds), *rules)


def highest_severity(
    rules: Sequence[DriftRule], kind: DifferenceKind, *, absolute: float | None, relative: float | None
) -> tuple[Severity, DriftRule | None]:
    """The gravest rule that fires; of equally grave ones the first."""
    matching = [rule for rule in rules if rule.matches(kind, absolute, relative)]
    strictest = max(matching, key=lambda rule: rule.severity, default=None)
    return (strictest.severity, strictest) if strictest else (Severity.NONE, None)

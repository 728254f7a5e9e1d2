"""Rules for the severity of differences between two snapshots.

The defaults ignore daily changes of the data, and always report changes that break readers of the view.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import partial

from seeder.domain.human_format import join_with_and
from seeder.texts import Text


class Severity(IntEnum):
    """Severity of a difference."""

    NONE = 0
    NOTICE = 1
    BREAKING = 2

    def __str__(self) -> str:
        return self.name.lower()


class DifferenceKind(StrEnum):
    """Kind of a difference."""

    COLUMN_ADDED = "column_added"
    COLUMN_REMOVED = "column_removed"
    COLUMN_RETYPED = "column_retyped"
    COLUMN_REORDERED = "column_reordered"
    NULLABILITY = "nullability"
    DEFINITION = "definition"
    ROWS = "rows"
    NULL_SHARE = "null_share"  # of all rows, from 0 to 1
    DISTINCT = "distinct"  # values of a column
    RANGE = "range"  # minimum and maximum of a column
    TOP_VALUES = "top_values"  # Jensen-Shannon distance of two columns' top values, from 0 to 1


class Direction(StrEnum):
    """Direction of a change."""

    ANY = "any"
    RISING = "rising"
    FALLING = "falling"


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftRule:
    """Severity of a kind of difference that reaches both minimums.

    A difference without a size, such as a removed column, passes any minimum.
    """

    kind: DifferenceKind
    severity: Severity
    absolute: float = 0.0  # minimum, in the kind's unit; for a null share, in rows
    relative: float = 0.0  # minimum, relative to the base; for shares and distances, their difference
    direction: Direction = Direction.ANY

    def __str__(self) -> str:
        relative, absolute = Text("{share:.0%}", share=self.relative), f"{self.absolute:g}"
        minimums = [relative] * bool(self.relative) + [absolute] * bool(self.absolute)
        difference = str(self.kind) if self.direction is Direction.ANY else f"{self.kind} {self.direction}"
        if not minimums:
            return difference
        return Text("{difference} by {minimums} at least", difference=difference, minimums=join_with_and(minimums))

    def matches(self, kind: DifferenceKind, absolute: float | None, relative: float | None) -> bool:
        """Return whether the rule applies to a signed difference (None: no size)."""
        if kind is not self.kind:
            return False
        sign = (absolute or 0) or (relative or 0)
        if (self.direction is Direction.RISING and sign < 0) or (self.direction is Direction.FALLING and sign > 0):
            return False
        sizes = ((absolute, self.absolute), (relative, self.relative))
        return all(size is None or abs(size) >= minimum for size, minimum in sizes)


_breaking = partial(DriftRule, severity=Severity.BREAKING)
_notice = partial(DriftRule, severity=Severity.NOTICE)

DEFAULT_RULES: Sequence[DriftRule] = (
    _breaking(kind=DifferenceKind.COLUMN_REMOVED),
    _breaking(kind=DifferenceKind.COLUMN_RETYPED),
    _notice(kind=DifferenceKind.COLUMN_REORDERED),
    _notice(kind=DifferenceKind.COLUMN_ADDED),
    _notice(kind=DifferenceKind.NULLABILITY),
    _notice(kind=DifferenceKind.DEFINITION),
    # A view that lost all its rows is broken, even if there were few; a view that lost half of them probably is.
    _breaking(kind=DifferenceKind.ROWS, absolute=1, relative=1.0, direction=Direction.FALLING),
    _breaking(kind=DifferenceKind.ROWS, absolute=100, relative=0.5, direction=Direction.FALLING),
    _notice(kind=DifferenceKind.ROWS, absolute=100, relative=0.1, direction=Direction.FALLING),
    _notice(kind=DifferenceKind.ROWS, absolute=100, relative=0.5, direction=Direction.RISING),
    _breaking(kind=DifferenceKind.NULL_SHARE, absolute=100, relative=0.5, direction=Direction.RISING),
    _notice(kind=DifferenceKind.NULL_SHARE, absolute=100, relative=0.05),
    _notice(kind=DifferenceKind.DISTINCT, absolute=10, relative=0.2, direction=Direction.FALLING),
    _notice(kind=DifferenceKind.DISTINCT, absolute=10, relative=0.5, direction=Direction.RISING),
    # For example, an eighth of at least 100 rows changes from one of two equally frequent values to the other.
    _notice(kind=DifferenceKind.TOP_VALUES, absolute=100, relative=0.1),
)


def with_defaults(rules: Sequence[DriftRule]) -> Sequence[DriftRule]:
    """Return the rules with the defaults of all other kinds."""
    kinds = {rule.kind for rule in rules}
    return (*(rule for rule in DEFAULT_RULES if rule.kind not in kinds), *rules)

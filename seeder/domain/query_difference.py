"""The difference of two queries that PostgreSQL printed, line by line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

_CONTEXT_LINES = 3  # equal ones around a change
_MAX_LINES = 2_000  # of one query: comparing takes quadratic time


class LineKind(StrEnum):
    """Which query has a line."""

    BOTH = "both"
    OLD = "old"
    NEW = "new"
    OMITTED = "omitted"  # equal lines, not shown


@dataclass(frozen=True, kw_only=True, slots=True)
class DifferenceLine:
    """A line of the comparison."""

    kind: LineKind
    text: str = ""
    omitted: int = 0  # equal lines


def compare_queries(old: str, new: str) -> Sequence[DifferenceLine] | None:
    """Return the changed lines with the equal ones around them, or None if a query has too many lines."""
    before, after = old.splitlines(), new.splitlines()
    if max(len(before), len(after)) > _MAX_LINES:
        return None
    return list(_difference_lines(before, after))


def _difference_lines(before: Sequence[str], after: Sequence[str]) -> Iterator[DifferenceLine]:
    shown = 0  # lines of `before` that are shown or omitted
    for group in SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_CONTEXT_LINES):
        yield from _omitted(group[0][1] - shown)
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                yield from (DifferenceLine(kind=LineKind.BOTH, text=line) for line in before[old_from:old_to])
                continue
            yield from (DifferenceLine(kind=LineKind.OLD, text=line) for line in before[old_from:old_to])
            yield from (DifferenceLine(kind=LineKind.NEW, text=line) for line in after[new_from:new_to])
        shown = group[-1][2]
    yield from _omitted(len(before) - shown)


def _omitted(lines: int) -> Iterator[DifferenceLine]:
    if lines:
        yield DifferenceLine(kind=LineKind.OMITTED, omitted=lines)

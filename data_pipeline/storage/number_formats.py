"""Number formats of workbooks: which cells are dates, and which are durations."""

import re
from enum import Enum

_LITERAL = re.compile(r'"[^"]*"?|[\\_*].?', re.DOTALL)  # quoted, escaped, a blank of a width, a repeated character
_TOKEN = re.compile(r"\[[^\]]*\]?|[aA]/[pP]|.", re.DOTALL)
_DURATION = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)


class CellKind(Enum):
    """What a cell's number means."""

    NUMBER = 1
    DATE = 2
    DURATION = 3


# ECMA-376, part 1, 18.8.30, with the formats of East Asian languages.
_BUILT_IN_DATES = {str(number) for number in (*range(14, 23), *range(27, 37), 45, 47, *range(50, 59))}
_BUILT_IN_DURATIONS = {"46"}  # [h]:mm:ss


def built_in_kind(identifier: str) -> CellKind:
    """Return the kind of a format that has a number only."""
    if identifier in _BUILT_IN_DATES:
        return CellKind.DATE
    return CellKind.DURATION if identifier in _BUILT_IN_DURATIONS else CellKind.NUMBER


def kind_of_format(code: str) -> CellKind:
    """Return the kind of values of a format code.

    Codes are `yyyy-mm-dd`, `[h]:mm` or `0.00`, for example.

    Only its first section counts. Brackets hold a colour, a locale, or the unit of a duration.
    """
    section = _LITERAL.sub(" ", code).partition(";")[0]
    for token in _TOKEN.findall(section):
        if _DURATION.fullmatch(token):
            return CellKind.DURATION
        if token[0] in "dmhysDMHYS" or token in {"a/p", "A/P"}:
            return CellKind.DATE
    return CellKind.NUMBER

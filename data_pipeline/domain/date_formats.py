"""Declared date and time formats, as patterns for Python and PostgreSQL.

A format has the directives of `strptime`, but no locale and no century is guessed: there is no %y, and months are
English. Texts of several formats are tried by shape, so two formats must never read one text as different times.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from data_pipeline.domain.iso_patterns import ISO_TIMESTAMP
from seeder.texts import Text

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAMES = "january|february|march|april|may|june|july|august|september|october|november|december"
_PATTERNS: Final = {
    "Y": "[0-9]{4}",
    "m": "[0-9]{1,2}",
    "b": "|".join(MONTHS),
    "B": _MONTH_NAMES,
    "d": "[0-9]{1,2}",
    "H": "[0-9]{1,2}",
    "I": "0?[1-9]|1[0-2]",
    "M": "[0-9]{1,2}",
    "S": "[0-9]{1,2}",
    "f": "[0-9]{1,6}",
    "p": "am|pm",
    "z": "z|[+-][0-9]{2}:?[0-9]{2}",
}
# Beside another number, a number has all its digits: %Y%m%d.
_FIXED_PATTERNS: Final = {**dict.fromkeys("mdHMS", "[0-9]{2}"), "I": "0[1-9]|1[0-2]", "f": "[0-9]{6}"}
_NUMBERS = frozenset("YmdHIMSf")
_TOKEN = re.compile(r"%(?P<directive>.?)|(?P<literal>[^%])", re.DOTALL)
_LITERAL = re.compile(r"[T -/:-@\[-`{-~]", re.ASCII)  # letters would be taken for a month's name
_PROBED = tuple("YmbBdHIMSfpz")
_PROBES: Final = (
    ("2001", "02", "feb", "february", "03", "04", "04", "05", "06", "070000", "am", "Z"),
    ("2012", "11", "nov", "november", "10", "09", "09", "08", "07", "060000", "am", "Z"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DateFormat:
    """A format of dates, or of timestamps if it has a time."""

    text: str
    pattern: str  # of the whole text in any case of letters; one group for each directive
    directives: Sequence[str]  # letters, in the order of the groups

    @property
    def has_time(self) -> bool:
        """Whether it has more than a date."""
        return len(self.directives) > 3

    def canonical(self, text: str) -> str | None:
        """Return the text in ISO 8601.

        None for a text of another shape.

        The date or time may not exist.
        """
        if (match := re.fullmatch(self.pattern, text, re.ASCII | re.IGNORECASE)) is None:
            return None
        found = dict(zip(self.directives, match.groups(), strict=True))
        date = f"{found['Y']}-{_month(found)}-{found['d'].zfill(2)}"
        if not self.has_time:
            return date
        minute, second = (found.get(one, "").zfill(2) for one in "MS")
        fraction = f".{found['f']}" if "f" in found else ""
        return f"{date} {_hour(found)}:{minute}:{second}{fraction}{found.get('z', '').upper()}"


def parse_format(text: str) -> DateFormat:
    """Parse a format. Raises `ValueError` that says what is wrong with it."""
    tokens = [(match["directive"], match["literal"]) for match in _TOKEN.finditer(text)]
    directives = [directive for directive, literal in tokens if literal is None]
    for directive, literal in tokens:
        if literal is not None and not _LITERAL.fullmatch(literal):
            raise ValueError(Text("{literal!r} cannot be between the parts of a date", literal=literal))
        if literal is None and directive not in _PATTERNS:
            raise ValueError(
                Text(
                    "%{directive} is not one of {known}",
                    directive=directive,
                    known=", ".join(f"%{one}" for one in _PATTERNS),
                )
            )
    if problem := _problem(directives):
        raise ValueError(problem)
    return DateFormat(text=text, pattern=_pattern(tokens), directives=tuple(directives))


def find_contradiction(formats: Sequence[DateFormat]) -> tuple[DateFormat, DateFormat, str] | None:
    """Return two formats that read some text differently, and that text."""
    for one, other in permutations(formats, 2):
        for probe in _PROBES:
            text = _render(one, dict(zip(_PROBED, probe, strict=True)))
            reading = other.canonical(text)
            if reading and reading != one.canonical(text) and re.fullmatch(ISO_TIMESTAMP, reading):
                return one, other, text
    return None


def _render(one: DateFormat, probe: Mapping[str, str]) -> str:
    return re.sub("%(.)", lambda match: probe[match[1]], one.text)


def _problem(directives: Sequence[str]) -> str | None:
    found = set(directives)
    if len(found) < len(directives):
        return Text("a directive is given twice")
    if not {"Y", "d"} <= found or len(found & set("mbB")) != 1:
        return Text("it needs %Y, %d and one of %m, %b, %B")
    has_hour = "H" in found or "I" in found
    if ({"H", "I"} <= found) or (("I" in found) != ("p" in found)):
        return Text("the hour is %H, or %I with %p")
    missing = [
        needed
        for given, needed, is_there in (
            ("M", Text("an hour"), has_hour),
            ("S", "%M", "M" in found),
            ("f", "%S", "S" in found),
        )
        if given in found and not is_there
    ]
    if "z" in found and not has_hour:
        missing.append(Text("an hour"))
    return Text("it needs {missing}", missing=missing[0]) if missing else None


def _pattern(tokens: Sequence[tuple[str | None, str | None]]) -> str:
    parts = []
    for at, (directive, literal) in enumerate(tokens):
        if directive is None or literal is not None:
            parts.append(re.escape(literal or ""))
            continue
        neighbours = {tokens[one][0] for one in (at - 1, at + 1) if 0 <= one < len(tokens)}
        is_fixed = directive in _NUMBERS and not neighbours.isdisjoint(_NUMBERS)
        pattern = _FIXED_PATTERNS.get(directive) if is_fixed else None
        parts.append(f"({pattern or _PATTERNS[directive]})")
    return "".join(parts)


def _month(found: dict[str, str]) -> str:
    if "m" in found:
        return found["m"].zfill(2)
    name = found.get("b") or found["B"]
    return f"{MONTHS.index(name[:3].lower()) + 1:02}"


def _hour(found: dict[str, str]) -> str:
    if "I" not in found:
        return found.get("H", "").zfill(2)
    return f"{int(found['I']) % 12 + (12 if found['p'].lower() == 'pm' else 0):02}"

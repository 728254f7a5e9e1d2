"""Addresses of daily files, as a template with the day."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from data_pipeline.correction_errors import BadDayRange, BadDayTemplate
from seeder.texts import Text

MAX_DAYS = 3_660  # ten years
_FIELD = re.compile(r"\{date(?::([^{}]*))?\}")
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
_KNOWN_DIRECTIVES = frozenset("YymdjBbUVG%")


@dataclass(frozen=True, kw_only=True, slots=True)
class DayTemplate:
    """An address in which each `{date}` stands for a day.

    The day is written as `2026-11-29`, or in the format of `{date:%Y%m%d}`.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> "DayTemplate":
        """Check a template. Raises `BadDayTemplate`."""
        problem = None
        rest = _FIELD.sub("", text)
        formats = [found[1] for found in _FIELD.finditer(text) if found[1] is not None]
        unknown = [letter for one in formats for letter in _DIRECTIVE.findall(one) if letter not in _KNOWN_DIRECTIVES]
        if not _FIELD.search(text):
            problem = Text("it has no {{date}}")
        elif "{" in rest or "}" in rest:
            problem = Text("it has another brace")
        elif unknown:
            problem = Text("%{letter} is not a part of a day", letter=unknown[0])
        elif any("%" not in one for one in formats):
            problem = Text("a format has no % part")
        if problem:
            raise BadDayTemplate(template=text, problem=problem)
        return cls(text=text)

    def address(self, day: date) -> str:
        """Return the address of the file of a day."""
        return _FIELD.sub(lambda found: day.isoformat() if found[1] is None else day.strftime(found[1]), self.text)


def days_between(first: date, last: date) -> Iterator[date]:
    """Return each day from the first to the last. Raises `BadDayRange`."""
    problem = None
    if last < first:
        problem = Text("the last one is before the first one")
    elif (last - first).days >= MAX_DAYS:
        problem = Text("a range has at most {days:,} days", days=MAX_DAYS)
    if problem:
        raise BadDayRange(first=first, last=last, problem=problem)
    return (first + timedelta(days=number) for number in range((last - first).days + 1))

"""Infers the narrowest type that keeps all texts of a column."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from data_pipeline.domain.date_formats import DateFormat, parse_format
from data_pipeline.domain.iso_patterns import ISO_DATE, ISO_INSTANT


class InferredType(StrEnum):
    """The closed set of inferred types, from the narrowest."""

    BOOLEAN = "boolean"
    BIGINT = "bigint"
    NUMERIC = "numeric"
    DATE = "date"
    TIMESTAMPTZ = "timestamptz"
    TEXT = "text"


# Numbers with leading zeros or more than 18 digits are identifiers. Words such as yes or f may be codes. A time without
# an offset depends on the session.
_PATTERNS: Final[Mapping[InferredType, re.Pattern[str]]] = {
    InferredType.BOOLEAN: re.compile("true|false", re.IGNORECASE | re.ASCII),
    InferredType.BIGINT: re.compile("0|-?[1-9][0-9]{0,17}"),
    InferredType.NUMERIC: re.compile(r"(?!(?:[^0-9]*[0-9]){19})-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|\.[0-9]+)"),
    InferredType.DATE: re.compile(ISO_DATE),
    InferredType.TIMESTAMPTZ: re.compile(ISO_INSTANT),
}
_LOCAL_FORMATS: Final = tuple(
    parse_format(text)
    for text in ("%d.%m.%Y", "%m.%d.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d-%b-%Y")
)


class TypeEvidence:
    """What the texts of one column can be."""

    def __init__(self) -> None:
        self.has_nulls = False
        self._has_values = False
        self._types = list(_PATTERNS)
        self._formats = list(_LOCAL_FORMATS)

    def add(self, text: str) -> None:
        """Take a text into account. An empty one is NULL."""
        if not text:
            self.has_nulls = True
            return
        self._has_values = True
        if self._types:
            self._types = [one for one in self._types if _PATTERNS[one].fullmatch(text)]
        if self._formats:
            self._formats = [one for one in self._formats if _is_date(one, text)]

    @property
    def type(self) -> InferredType:
        """The narrowest type of all texts."""
        if not self._has_values:
            return InferredType.TEXT
        if self.date_format is not None:
            return InferredType.DATE
        return self._types[0] if self._types else InferredType.TEXT

    @property
    def date_format(self) -> str | None:
        """The format of local dates, if exactly one fits all texts.

        Day and month are distinguished by a day after the 12th.
        """
        return self._formats[0].text if self._has_values and len(self._formats) == 1 else None

    @property
    def ambiguous_formats(self) -> tuple[str, ...]:
        """Formats of local dates that all texts have, if there are several."""
        return tuple(one.text for one in self._formats) if self._has_values and len(self._formats) > 1 else ()


def _is_date(one: DateFormat, text: str) -> bool:
    canonical = one.canonical(text)
    return canonical is not None and re.fullmatch(ISO_DATE, canonical) is not None

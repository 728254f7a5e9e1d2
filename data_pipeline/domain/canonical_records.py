"""Recognises records that are already canonical.

They can be copied without being parsed.

`RecordNormalizer` would leave these records unchanged. It may leave others unchanged, too.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple

from data_pipeline.domain.case_folding import LOWER_OF, SPACES, UPPER_OF, fold, trim
from data_pipeline.domain.csv_fields import HAS_POSSESSIVE_GROUPS, CsvFormat
from data_pipeline.domain.csv_records import count_records
from data_pipeline.domain.dialects import NUMBER_RULES, Column, Rule
from data_pipeline.domain.iso_patterns import ISO_DATE, ISO_TIMESTAMP

SILVER: Final = CsvFormat()  # commas, double quotes, line feeds
_SPACE = f"[{re.escape(SPACES)}]"
_LETTERS_CHANGED: Final = {
    Rule.TRIM: "",
    Rule.UPPER: re.escape("".join(UPPER_OF)) + "a-z",
    Rule.LOWER: re.escape("".join(LOWER_OF)) + "A-Z",
}
_MARKS_OF_VALUES = frozenset("+-.: ")  # numbers, dates and times have them
_ISO_WITH_SPACE = ISO_TIMESTAMP.replace("[ T]", " ")


class CopiedRecords(NamedTuple):
    """Canonical records as silver has them."""

    data: bytes
    number: int


class CanonicalRecords:
    """The patterns of one file."""

    def __init__(self, columns: Sequence[Column], null_words: Sequence[str], csv_format: CsvFormat) -> None:
        """Take the column of each field. One without a rule can have any text, except words for NULL."""
        self._columns, self._null_words, self._format = columns, null_words, csv_format
        self._delimiter, self._quote = csv_format.delimiter.decode(), csv_format.quote.decode()
        self._has_silver_separators = csv_format.delimiter == SILVER.delimiter and csv_format.quote == SILVER.quote
        silver = (SILVER.delimiter + SILVER.quote).decode()
        self._separators = "".join(sorted({self._delimiter, self._quote, *silver, *"\r\n\0"}))
        self._ordinary = bytes(byte for byte in range(256) if byte not in self._separators.encode())
        self._shape = csv_format.delimiter * (len(columns) - 1) + b"\n"
        self._pattern = cache(self._compile)

    def copy(self, data: bytes) -> CopiedRecords | None:
        """Return whole records as they are in silver, or None.

        None means that one of them may not be canonical.

        Each record ends with a line feed.
        """
        marks = data.translate(None, self._ordinary)
        count = len(marks) // len(self._shape)
        is_plain = marks == self._shape * count
        if not (is_plain or self._has_silver_separators):
            return None
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return None
        if not self._matches(text, is_plain=is_plain):
            return None
        if not self._has_silver_separators:
            data = data.replace(self._format.delimiter, SILVER.delimiter)
        return CopiedRecords(data, count if is_plain else count_records(data, SILVER))

    def _matches(self, text: str, *, is_plain: bool) -> bool:
        """Return whether records match. Plain ones have the right delimiters, and neither quotes nor other marks."""
        has_null_word = any(word in text or self._quote in word for word in self._null_words)
        if is_plain and not has_null_word and not any(column.needs_normalizing for column in self._columns):
            return True
        return self._pattern(is_plain=is_plain, has_null_word=has_null_word).fullmatch(text) is not None

    def _compile(self, *, is_plain: bool, has_null_word: bool) -> re.Pattern[str]:
        q, d = re.escape(self._quote), re.escape(self._delimiter)
        before = ""
        if has_null_word:
            words = "|".join(re.escape(word.replace(self._quote, self._quote * 2)) for word in self._null_words)
            before = f"(?!{q}?{_SPACE}*(?:{words}){_SPACE}*{q}?[{d}\n])"  # a line end is a space, too
        if is_plain:  # patterns of all characters but one are five times as fast
            ends = [d] * (len(self._columns) - 1) + ["\n"]
        else:
            ends = [re.escape(self._separators)] * len(self._columns)
        fields = [before + self._field(column, end) for column, end in zip(self._columns, ends, strict=True)]
        if not is_plain:
            quoted = f"{q}(?>(?:[^{q}\0]++|{q}{q})*){q}"
            fields = [
                f"(?:{field}|{before}{quoted})" if not column.needs_normalizing else field
                for column, field in zip(self._columns, fields, strict=True)
            ]
        record = rf"(?:{d.join(fields)}\n)"
        return re.compile(f"{record}*+" if HAS_POSSESSIVE_GROUPS else f"(?>{record}*)")

    def _field(self, column: Column, end: str) -> str:
        """Return the pattern of canonical fields without quotes. The empty one is NULL, and canonical in all columns.

        `end` are the characters that a text cannot have.
        """
        if not column.needs_normalizing:
            return f"[^{end}]*+"
        if column.pii is not None:
            return ""
        if column.rule in _LETTERS_CHANGED:
            return f"(?>(?:(?!{_SPACE})[^{end}{_LETTERS_CHANGED[column.rule]}]++(?<!{_SPACE}))?)"
        pattern = self._value(column)
        return f"(?>(?:{pattern})?)" if pattern else ""

    def _value(self, column: Column) -> str:
        """Return the pattern of canonical values of a rule.

        The text is empty if only NULL is known to be one.
        """
        if column.rule is Rule.MAP:
            texts = (text for text in _mapped_to_themselves(column) if text and not set(self._separators) & set(text))
            return "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))
        return "" if _MARKS_OF_VALUES & set(self._separators) else _value_pattern(column)


def _value_pattern(column: Column) -> str:
    if column.rule in NUMBER_RULES:
        fraction = r"(?>(?:\.[0-9]++)?)" if column.decimal_mark == "." else ""
        return f"-?[0-9]++{fraction}"
    if column.rule is Rule.BOOLEAN:
        return "true|false"
    if column.rule is Rule.DATE:
        return ISO_DATE if not column.formats or "%Y-%m-%d" in column.formats else ""
    return _ISO_WITH_SPACE if column.rule is Rule.TIMESTAMP and not column.formats else ""


def _mapped_to_themselves(column: Column) -> Iterable[str]:
    values = {fold(spelling): value for spelling, value in column.values.items()}
    return {value for value in values.values() if trim(value) == value and values.get(fold(value)) == value}

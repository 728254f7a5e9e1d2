"""Normalizes values strictly: a text without the declared form is refused.

`data_pipeline.postgres.normalizing_sql` has the same rules for sets of rows.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final

from data_pipeline.domain import case_folding
from data_pipeline.domain.date_formats import DateFormat, parse_format
from data_pipeline.domain.dialects import Column, Rule
from data_pipeline.domain.iso_patterns import ISO_DATE, ISO_DATE_SHAPE, ISO_TIMESTAMP, ISO_TIMESTAMP_SHAPE
from data_pipeline.domain.number_patterns import (
    PLAIN_FROM,
    PLAIN_TO,
    NumberPatterns,
    amount_patterns,
    number_patterns,
)

TRUE_WORDS: Final = ("true", "t", "yes", "y", "on", "1")
FALSE_WORDS: Final = ("false", "f", "no", "n", "off", "0")
ISO_PATTERNS: Final = {  # the shape of a text, and of those what exists
    Rule.DATE: (ISO_DATE_SHAPE, ISO_DATE),
    Rule.TIMESTAMP: (ISO_TIMESTAMP_SHAPE, ISO_TIMESTAMP),
}
_TO_PLAIN = str.maketrans(PLAIN_FROM, PLAIN_TO)


class NormalizeReason(StrEnum):
    """Why a value is refused. The closed set of the label `reason` of the metric."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    WRONG_GROUPING = "wrong_grouping"
    OTHER_CURRENCY = "other_currency"
    UNKNOWN_DATE_FORMAT = "unknown_date_format"
    NO_SUCH_DATE = "no_such_date"
    NOT_A_BOOLEAN = "not_a_boolean"
    NOT_IN_MAP = "not_in_map"
    NOT_IN_REFERENCE = "not_in_reference"


class NormalizeError(ValueError):
    """A value does not have its declared form."""

    def __init__(self, text: str, reason: NormalizeReason) -> None:
        super().__init__(f"{text!r}: {reason.replace('_', ' ')}")
        self.text = text
        self.reason = reason


def trim(text: str) -> str:
    """Remove spaces of any kind at both ends."""
    return case_folding.trim(text)


def parse_decimal(text: str, *, decimal_mark: str = ".", group_mark: str | None = None) -> Decimal:
    """Parse a number. Raises `NormalizeError`.

    A negative number has a minus in front or behind, or parentheses. Only ASCII digits are digits: neither NaN, 1e5 nor
    1_000 is a number. `group_mark` is "" for none, " " for any space, and None for any customary mark.
    """
    return Decimal(_number(text, number_patterns(decimal_mark=decimal_mark, group_mark=group_mark)))


def normalize_currency(
    text: str, *, decimal_mark: str = ".", group_mark: str | None = None, currency: str | None = None
) -> Decimal:
    """Parse an amount that may be marked with its currency. Raises `NormalizeError`.

    A code or sign of the currency stands before or after the number. With a `currency`, amounts that are marked as
    another one are refused.
    """
    return Decimal(_amount(text, decimal_mark=decimal_mark, group_mark=group_mark, currency=currency))


def parse_date(text: str, formats: Sequence[str] = ()) -> date:
    """Parse a date of one of the formats, or of ISO 8601. Raises `NormalizeError`."""
    return date.fromisoformat(_instant(text, formats, rule=Rule.DATE))


def parse_timestamp(text: str, formats: Sequence[str] = ()) -> datetime:
    """Parse a timestamp of one of the formats, or of ISO 8601. Raises `NormalizeError`.

    The result is naive unless the text has an offset from UTC.
    """
    return datetime.fromisoformat(_instant(text, formats, rule=Rule.TIMESTAMP))


def parse_bool(text: str) -> bool:
    """Parse a word that PostgreSQL documents for a boolean. Raises `NormalizeError`."""
    word = case_folding.fold(text)
    if word not in TRUE_WORDS + FALSE_WORDS:
        raise NormalizeError(text, NormalizeReason.NOT_A_BOOLEAN if word else NormalizeReason.EMPTY)
    return word in TRUE_WORDS


def normalize_text(text: str, column: Column, *, null_words: Collection[str] = ()) -> str | None:
    """Return the text that PostgreSQL reads for a value.

    None means NULL. A text of spaces only is NULL in a column with a rule. Raises `NormalizeError`.
    """
    trimmed = case_folding.trim(text)
    if trimmed in null_words:
        return None
    if column.rule is None:
        return text
    return _NORMALIZERS[column.rule](trimmed, column) if trimmed else None


def _decimal(text: str, column: Column) -> str:
    return _number(text, number_patterns(decimal_mark=column.decimal_mark, group_mark=column.group_mark))


def _currency(text: str, column: Column) -> str:
    return _amount(text, decimal_mark=column.decimal_mark, group_mark=column.group_mark, currency=column.currency)


def _mapped(text: str, column: Column) -> str | None:
    values = {case_folding.fold(spelling): value for spelling, value in column.values.items()}
    if case_folding.fold(text) not in values:
        raise NormalizeError(text, NormalizeReason.NOT_IN_MAP)
    return values[case_folding.fold(text)] or None


def _amount(text: str, *, decimal_mark: str, group_mark: str | None, currency: str | None) -> str:
    patterns = amount_patterns(decimal_mark=decimal_mark, group_mark=group_mark, currency=currency)
    try:
        return _number(text, patterns)
    except NormalizeError:
        every = amount_patterns(decimal_mark=decimal_mark, group_mark=group_mark, currency=None)
        if currency is None or not re.fullmatch(every.number, _without_currency(_plain(text), every)):
            raise
    raise NormalizeError(text, NormalizeReason.OTHER_CURRENCY)


def _number(text: str, patterns: NumberPatterns) -> str:
    """Return a number with a decimal point and without groups."""
    plain = _without_currency(_plain(text), patterns)
    if re.fullmatch(patterns.number, plain):
        digits = re.sub(patterns.not_of_number, "", plain).replace(",", ".")
        sign = "-" if re.search("[-(]", plain) else ""
        return sign + ("0" if digits.startswith(".") else "") + digits
    if not _plain(text):
        raise NormalizeError(text, NormalizeReason.EMPTY)
    is_like_a_number = re.fullmatch(patterns.loose_number, plain)
    raise NormalizeError(text, NormalizeReason.WRONG_GROUPING if is_like_a_number else NormalizeReason.NOT_A_NUMBER)


def _plain(text: str) -> str:
    return case_folding.trim(text).translate(_TO_PLAIN)


def _without_currency(plain: str, patterns: NumberPatterns) -> str:
    """Remove the mark of a currency in front, or else behind."""
    if patterns.leading_currency is None or patterns.trailing_currency is None:
        return plain
    without = re.sub(patterns.leading_currency, r"\1", plain)
    return without if without != plain else re.sub(patterns.trailing_currency, r"\1", plain)


def _instant(text: str, formats: Sequence[str], *, rule: Rule) -> str:
    """Return a date or timestamp in ISO 8601. The first format with the text's shape decides."""
    trimmed = case_folding.trim(text)
    if not trimmed:
        raise NormalizeError(text, NormalizeReason.EMPTY)
    shape, existing = ISO_PATTERNS[rule]
    if formats:
        canonicals = (one.canonical(trimmed) for one in _parsed_formats(tuple(formats)))
        canonical = next((one for one in canonicals if one is not None), None)
    else:
        canonical = trimmed if re.fullmatch(shape, trimmed) else None
    if canonical is None:
        raise NormalizeError(text, NormalizeReason.UNKNOWN_DATE_FORMAT)
    if not re.fullmatch(existing, canonical):
        raise NormalizeError(text, NormalizeReason.NO_SUCH_DATE)
    return canonical.replace("T", " ")


@lru_cache(maxsize=64)
def _parsed_formats(formats: tuple[str, ...]) -> tuple[DateFormat, ...]:
    return tuple(parse_format(text) for text in formats)


_NORMALIZERS: Final[Mapping[Rule, Callable[[str, Column], str | None]]] = {
    Rule.TRIM: lambda text, _: text,
    Rule.UPPER: lambda text, _: case_folding.upper(text),
    Rule.LOWER: lambda text, _: case_folding.lower(text),
    Rule.BOOLEAN: lambda text, _: "true" if parse_bool(text) else "false",
    Rule.MAP: _mapped,
    Rule.DATE: lambda text, column: _instant(text, column.formats, rule=Rule.DATE),
    Rule.TIMESTAMP: lambda text, column: _instant(text, column.formats, rule=Rule.TIMESTAMP),
    Rule.DECIMAL: _decimal,
    Rule.CURRENCY: _currency,
}

"""Patterns of written numbers and amounts, for Python and PostgreSQL."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from data_pipeline.domain.currencies import marks_of

# Typographic variants become the plain character first.
_SPACES = "\xa0\u2007\u2009\u202f"
PLAIN_FROM: Final = f"{_SPACES}\u2212\u2019"
PLAIN_TO: Final = " " * len(_SPACES) + "-'"
_CUSTOMARY_GROUP_MARKS = ".,' "
_LOOSE_NUMBER = "[0-9][0-9., ']*"  # digits and marks in any order


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberPatterns:
    """Patterns of whole texts. Those of a currency match an end."""

    number: str  # with its sign
    loose_number: str  # the same with marks at any place
    leading_currency: str | None  # after a sign, which is group 1
    trailing_currency: str | None  # before a sign, which is group 1
    not_of_number: str  # one character that is neither a digit nor the decimal mark


@lru_cache(maxsize=64)
def number_patterns(*, decimal_mark: str, group_mark: str | None) -> NumberPatterns:
    """Return the patterns of a number without a currency.

    Groups have three digits and one mark, and the first of them does not begin with 0. So 0,123 is not 123.
    """
    return _patterns(decimal_mark=decimal_mark, group_mark=group_mark, currencies=None)


@lru_cache(maxsize=64)
def amount_patterns(*, decimal_mark: str, group_mark: str | None, currency: str | None) -> NumberPatterns:
    """Return the patterns of an amount in one or any currency."""
    currencies = "|".join(map(re.escape, marks_of(currency)))
    return _patterns(decimal_mark=decimal_mark, group_mark=group_mark, currencies=currencies)


def _patterns(*, decimal_mark: str, group_mark: str | None, currencies: str | None) -> NumberPatterns:
    marks = _CUSTOMARY_GROUP_MARKS.replace(decimal_mark, "") if group_mark is None else group_mark
    grouped = "".join(f"|[1-9][0-9]{{0,2}}(?:{re.escape(mark)}[0-9]{{3}})+" for mark in marks)
    decimal = re.escape(decimal_mark)
    return NumberPatterns(
        number=_signed(f"(?:(?:[0-9]+{grouped})(?:{decimal}[0-9]+)?|{decimal}[0-9]+)"),
        loose_number=_signed(_LOOSE_NUMBER),
        leading_currency=None if currencies is None else f"^([-+(]? ?)(?:{currencies}) ?",
        trailing_currency=None if currencies is None else f" ?(?:{currencies})( ?[-)]?)$",
        not_of_number=f"[^0-9{decimal_mark}]",
    )


def _signed(number: str) -> str:
    """Return a pattern with a sign before, a minus after, or parentheses."""
    return rf"(?:[-+]? ?{number}|{number} ?-|\( ?{number} ?\))"

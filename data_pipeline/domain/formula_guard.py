"""Texts for spreadsheets, which would run some of them as formulas."""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guarded(text: str) -> str:
    """Return a text that a spreadsheet shows as it is. `unguarded` returns the original of every text."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """Return a text without the apostrophe that `guarded` has put before it."""
    return text[1:] if _GUARDED.match(text) else text

"""Whole numbers in plain digits, as in settings, arguments and parameters."""

import re

_DIGITS = re.compile(r"[0-9]+", re.ASCII)


def parse_whole_number(text: str) -> int:
    """Parse ASCII digits. Raises `ValueError`.

    `int` also accepts digits of other scripts, signs, `1_0` and blanks.
    """
    if not _DIGITS.fullmatch(text):
        raise ValueError(text)
    return int(text)

"""Trimming and case folding that do not depend on a locale.

Python and PostgreSQL use the same tables of spaces and letters, so both give the same result.
"""

from typing import Final

# Unicode's spaces, the zero width space and the byte order mark, which spreadsheets leave in cells.
SPACES: Final = (
    " \t\n\v\f\r\x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200C))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
# One letter for one: neither ß to SS, nor a locale's rules, nor a final sigma.
_CASED = [chr(code) for code in range(0x80, 0x2000)]  # Latin, Greek, Cyrillic, Armenian, Georgian
LOWER_OF: Final = {letter: letter.lower() for letter in _CASED if len(letter.lower()) == 1 and letter.lower() != letter}
UPPER_OF: Final = {letter: letter.upper() for letter in _CASED if len(letter.upper()) == 1 and letter.upper() != letter}
_ASCII_LOWER = {chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)}
_TO_LOWER = str.maketrans(LOWER_OF | _ASCII_LOWER)
_TO_UPPER = str.maketrans(UPPER_OF | {small: big for big, small in _ASCII_LOWER.items()})


def trim(text: str) -> str:
    """Remove spaces of any kind at both ends."""
    return text.strip(SPACES)


def upper(text: str) -> str:
    """Return a text in upper case, letter by letter."""
    return text.translate(_TO_UPPER)


def lower(text: str) -> str:
    """Return a text in lower case, letter by letter."""
    return text.translate(_TO_LOWER)


def fold(text: str) -> str:
    """Return a trimmed text in lower case, to compare words."""
    return lower(trim(text))

"""Finds bytes that COPY would accept with another meaning than their text, so that their chunk is parsed.

COPY removes quotes inside a field, and before PostgreSQL 18 a line with only `\\.` ends the data. The words `now`,
`today`, `tomorrow` and `yesterday` are dates whose meaning changes, so a repeated load would differ.
"""

import re
from functools import lru_cache

from data_pipeline.domain.records import CsvFormat

CHANGING_WORDS = ("now", "today", "tomorrow", "yesterday")  # of PostgreSQL's date and time types, in any case
_LOWER = bytes(range(256)).lower()
_BLANKS, _MAX_BLANKS = b" \t\f\v", 8  # with more blanks around it, a word counts as a field


def may_lose_bytes(data: bytes, csv_format: CsvFormat) -> bool:
    """Return whether COPY may drop a part of the bytes without an error. False positives only cost time."""
    return (b"\\" in data and b"\\." in data) or _has_misplaced_quote(data, csv_format)


def has_changing_word(data: bytes, csv_format: CsvFormat) -> bool:
    """Return whether a field may be a word that means another date tomorrow."""
    lower = data.translate(_LOWER)
    borders = csv_format.delimiter + csv_format.quote + b"\n\r[({,"  # also the elements of ranges and arrays
    return any(_has_field(lower, word.encode(), borders) for word in CHANGING_WORDS)


def _has_misplaced_quote(data: bytes, csv_format: CsvFormat) -> bool:
    """Return whether a quote is neither around a field nor doubled inside a quoted one."""
    if csv_format.quote not in data:
        return False
    return _quotes_pattern(csv_format.delimiter, csv_format.quote).fullmatch(data) is None


@lru_cache(maxsize=16)
def _quotes_pattern(delimiter: bytes, quote: bytes) -> re.Pattern[bytes]:
    """Return the pattern of bytes whose quotes are well placed. It jumps from quote to quote, at 2 GB/s."""
    d, q = re.escape(delimiter), re.escape(quote)
    quoted = rb"(?<![^%b\r\n])%b(?:[^%b]++|%b%b)*+%b(?![^%b\r\n])" % (d, q, q, q, q, q, d)
    return re.compile(rb"(?:[^%b]*+%b)*+[^%b]*+" % (q, quoted, q))


def _has_field(lower: bytes, word: bytes, borders: bytes) -> bool:
    """Return whether a field is this word, apart from blanks around it."""
    start = lower.find(word)
    while start >= 0:
        before = lower[max(start - _MAX_BLANKS, 0) : start].rstrip(_BLANKS)
        end = start + len(word)
        after = lower[end : end + _MAX_BLANKS].lstrip(_BLANKS)
        if (not before or before[-1] in borders) and (not after or after[0] in borders + b"])}"):
            return True
        start = lower.find(word, end)
    return False

"""Finds bytes that COPY would load as something else without an error.

COPY removes quotes inside a field. It recognises line ends by the first one of a chunk. Before PostgreSQL 18 a line
with only `\\.` ends the data. The words `now`, `today`, `tomorrow` and `yesterday` are dates whose meaning changes, so
a repeated load would differ. Chunks with such bytes are split into records.
"""

import re
from collections.abc import Collection
from functools import lru_cache

from data_pipeline.domain.csv_fields import HAS_POSSESSIVE_GROUPS, CsvFormat, fields_of

CHANGING_WORDS = ("now", "today", "tomorrow", "yesterday")  # of PostgreSQL's date and time types, in any case
_WORD = re.compile(rb"(?<![a-z])(?:%b)(?![a-z])" % "|".join(CHANGING_WORDS).encode())
_LOWER = bytes(range(256)).lower()
_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_LONE_RETURN = re.compile(rb"\r(?!\n)")


def may_lose_bytes(data: bytes, csv_format: CsvFormat) -> bool:
    """Return whether COPY may silently drop some of the bytes.

    False positives only cost time.
    """
    return (
        (b"\\" in data and b"\\." in data)
        or _has_other_line_end(data, csv_format)
        or _has_misplaced_quote(data, csv_format)
    )


def has_changing_word(data: bytes, csv_format: CsvFormat, *, positions: Collection[int], columns: int) -> bool:
    """Return whether one of these fields may name a relative day.

    Its date would be another one tomorrow.

    Such a word can have digits, spaces and punctuation around it: `today 10:00` is a timestamp.
    """
    lower = data.translate(_LOWER)
    return any(
        _is_in_fields(data, at, csv_format, positions=positions, columns=columns)
        for word in CHANGING_WORDS
        for at in _places(lower, word.encode())
    )


def contains_changing_word(record: bytes) -> bool:
    """Return whether any field of a record has such a word."""
    lower = record.lower()
    may_contain = b"day" in lower or b"now" in lower or b"tomorrow" in lower  # ten times as fast as the pattern
    return may_contain and _WORD.search(lower) is not None


def _has_other_line_end(data: bytes, csv_format: CsvFormat) -> bool:
    """Return whether COPY may end a line elsewhere. It refuses line ends of two kinds, but not a single one."""
    if csv_format.line_end == b"\r":
        return b"\n" in data
    return not data.endswith(b"\n") and _LONE_RETURN.search(data) is not None


def _has_misplaced_quote(data: bytes, csv_format: CsvFormat) -> bool:
    """Return whether a quote is misplaced.

    It may stand around a field, or doubled inside a quoted one.
    """
    if csv_format.quote not in data:
        return False
    return _quotes_pattern(csv_format.delimiter, csv_format.quote).fullmatch(data) is None


@lru_cache(maxsize=16)
def _quotes_pattern(delimiter: bytes, quote: bytes) -> re.Pattern[bytes]:
    """Return the pattern of bytes whose quotes are well placed. It jumps from quote to quote, at 2 GB/s."""
    d, q = re.escape(delimiter), re.escape(quote)
    quoted = rb"(?<![^%b\r\n])%b(?>(?:[^%b]++|%b%b)*)%b(?![^%b\r\n])" % (d, q, q, q, q, q, d)
    repeated = rb"(?:[^%b]*+%b)*+" if HAS_POSSESSIVE_GROUPS else rb"(?>(?:[^%b]*+%b)*)"
    return re.compile(repeated % (q, quoted) + rb"[^%b]*+" % q)


def _places(lower: bytes, word: bytes) -> "list[int]":
    """Return where a word stands without a letter before or after it."""
    found, at = [], lower.find(word)
    while at >= 0:
        end = at + len(word)
        if (not at or lower[at - 1] not in _LETTERS) and (end == len(lower) or lower[end] not in _LETTERS):
            found.append(at)
        at = lower.find(word, end)
    return found


def _is_in_fields(data: bytes, at: int, csv_format: CsvFormat, *, positions: Collection[int], columns: int) -> bool:
    """Return whether a place may be in one of these fields. The lines of a record of several lines may all be."""
    start = data.rfind(csv_format.line_end, 0, at) + 1
    end = data.find(csv_format.line_end, at)
    line = data[start : end if end >= 0 else len(data)]
    if csv_format.quote not in line:
        position = line.count(csv_format.delimiter, 0, at - start)
        return position in positions or line.count(csv_format.delimiter) + 1 != columns
    fields = fields_of(line.rstrip(b"\r"), csv_format)
    if fields is None or len(fields) != columns:
        return True
    return sum(one.end() <= at - start for one in fields) in positions

"""Values of cells as CSV fields. Dates are ISO 8601, so that they do not depend on a session's DateStyle."""

import re
from datetime import date, timedelta
from functools import lru_cache

_NEEDS_QUOTES = re.compile(rb'[",\r\n]|\A\\\.\Z')  # `\.` alone on a line ends the data before PostgreSQL 18
_ZERO = ord("0")
_EXACT = 2**53  # integers up to here are exact in a cell
_DAY_MS = 24 * 60 * 60 * 1000
_EPOCH = date(1899, 12, 30)
_LAST_DAY = (date.max - _EPOCH).days
_DAYS_TO_1904 = 1462
_IMAGINARY_DAY = 60  # 29 February 1900 exists in spreadsheets only; days before it are counted one too low


def csv_field(text: bytes) -> bytes:
    """Return a text as a field, in quotes if it needs them."""
    return b'"' + text.replace(b'"', b'""') + b'"' if _NEEDS_QUOTES.search(text) else text


def number_field(text: bytes) -> bytes:
    """Return a number without the noise of binary fractions.

    Spreadsheet programs write 1.1 as 1.1000000000000001, and 5 as 5.0 or 5E0. What is not a number stays a text.
    """
    if text.isdigit() and text[0] != _ZERO:  # also integers that a float cannot hold
        return text
    number = parse_number(text)
    return csv_field(text) if number is None else float_field(number)


def parse_number(text: bytes) -> float | None:
    """Return a number, or None for other text.

    Some of that is a number for Python only.
    """
    if b"_" in text or text.strip() != text or not text.isascii():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def float_field(number: float) -> bytes:
    """Return a number in the fewest digits that identify it."""
    if number.is_integer() and abs(number) <= _EXACT:
        return b"%d" % int(number)
    return repr(number).encode()


def date_field(serial: float, *, is_1904: bool) -> bytes:
    """Return a serial number of days as a date or time.

    The result is a date, a date with a time, or a time of day. Excel shows days before its epoch as `####`. These and
    other impossible dates stay numbers, which date columns refuse.
    """
    if not 0 <= serial < 1e7:  # also false for NaN
        return float_field(serial)
    days = serial + (_DAYS_TO_1904 if is_1904 else 0)
    if days < _IMAGINARY_DAY and not is_1904:
        days += 1
    day, milliseconds = divmod(int(days * _DAY_MS + 0.5), _DAY_MS)
    if day > _LAST_DAY:
        return float_field(serial)
    if serial.is_integer() and serial:
        return _date(day)
    time = _time(milliseconds)
    return time if serial < 1 else b"%b %b" % (_date(day), time)


def duration_field(days: float) -> bytes:
    """Return a number of days as hours, minutes and seconds.

    PostgreSQL reads them as an interval.
    """
    if not abs(days) < 1e9:
        return float_field(days)
    milliseconds = int(abs(days) * _DAY_MS + 0.5)
    return b"-" + _time(milliseconds) if days < 0 < milliseconds else _time(milliseconds)


def _time(milliseconds: int) -> bytes:
    """Return hours, minutes and seconds."""
    seconds, fraction = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    text = b"%02d:%02d:%02d" % (minutes // 60, minutes % 60, second)
    return b"%b.%03d000" % (text, fraction) if fraction else text


@lru_cache(maxsize=1 << 14)  # 45 years; most columns of dates have few
def _date(day: int) -> bytes:
    """Return the date of a day after the epoch."""
    return (_EPOCH + timedelta(days=day)).isoformat().encode()


def boolean_field(text: bytes) -> bytes:
    """Return `true` or `false`. Another text stays as it is, and typed columns refuse it."""
    return {b"1": b"true", b"true": b"true", b"0": b"false", b"false": b"false"}.get(text, csv_field(text))

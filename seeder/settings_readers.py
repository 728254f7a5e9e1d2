"""Readers of settings: take the name and the value, return the value or raise `ConfigurationError`."""

import re
from collections.abc import Callable

from seeder.domain.plain_numbers import parse_whole_number
from seeder.errors import ConfigurationError

_MAX_INTEGER = 2**31 - 1
_RATE = re.compile(r"[1-9][0-9]{0,8}/(s|sec|second|m|min|minute|h|hour|d|day)", re.ASCII)
_SECRET = re.compile(r"[!-~]{16,}", re.ASCII)


class _RedactedValue:
    def __repr__(self) -> str:
        return "…"


REDACTED = _RedactedValue()  # shown instead of a secret


def integer(min_value: int, max_value: int = _MAX_INTEGER) -> Callable[[str, object], int]:
    """Return a reader of integers, or of their plain digits, in a range."""

    def read(name: str, value: object) -> int:
        try:
            number = parse_whole_number(str(value)) if not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is None or not min_value <= number <= max_value:
            is_bounded = max_value < _MAX_INTEGER or (number or 0) > max_value
            expected = f"from {min_value} to {max_value}" if is_bounded else f"of at least {min_value}"
            raise ConfigurationError(setting=name, value=value, expected=f"a whole number {expected}")
        return number

    return read


def boolean(name: str, value: object) -> bool:
    """Read true, yes, on, 1 and false, no, off, 0 in any case."""
    match str(value).strip().lower():
        case "true" | "yes" | "on" | "1":
            return True
        case "false" | "no" | "off" | "0":
            return False
        case _:
            raise ConfigurationError(setting=name, value=value, expected="true or false")


def text(name: str, value: object) -> str:
    """Read a text, which may be empty."""
    if not isinstance(value, str):
        raise ConfigurationError(setting=name, value=value, expected="a text")
    return value


def secret(name: str, value: object) -> str:
    """Read a secret, or an empty text. The error does not contain the value."""
    if not isinstance(value, str) or (value and not _SECRET.fullmatch(value)):
        expected = "at least 16 printable ASCII characters without blanks, or nothing"
        raise ConfigurationError(setting=name, value=REDACTED, expected=expected)
    return value


def one_of(*choices: str) -> Callable[[str, object], str]:
    """Return a reader of a closed set of texts."""

    def read(name: str, value: object) -> str:
        if value not in choices:
            raise ConfigurationError(setting=name, value=value, expected=" or ".join(map(repr, choices)))
        return str(value)

    return read


def throttle_rate(name: str, value: object) -> str:
    """Read a rate in the format of REST framework's throttles."""
    if not isinstance(value, str) or not _RATE.fullmatch(value):
        raise ConfigurationError(setting=name, value=value, expected="a number per sec, min, hour or day, as '60/min'")
    return value

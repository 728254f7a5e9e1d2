"""Readers of the values of a dialect's keys. Each raises `BadValue` if the value is not allowed."""

import codecs
import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from data_pipeline.domain.case_folding import fold
from data_pipeline.domain.currencies import CURRENCIES
from data_pipeline.domain.date_formats import find_contradiction, parse_format
from seeder.domain.suggestions import did_you_mean
from seeder.domain.view_names import ViewName
from seeder.texts import Text

_Word = TypeVar("_Word", bound=StrEnum)
MAX_NAME_BYTES = 63  # PostgreSQL truncates longer names
# Letters and digits for a name, such as "timestamp with time zone", with a precision and as an array.
_TYPE = re.compile(
    r"[a-z_][a-z0-9_]*(?:[. ][a-z_][a-z0-9_]*)*(?:\([0-9]+(?:, ?-?[0-9]+)?\))?(?: [a-z]+)*(?:\[\])*",
    re.ASCII | re.IGNORECASE,
)
_ASCII = bytes(range(0x20, 0x7F))


class BadValue(ValueError):
    """The value of a key is not allowed."""

    def __init__(self, expected: str, suggestion: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.suggestion = suggestion


def read_text(value: object) -> str:
    """Read a text that is not empty and that PostgreSQL can store."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise BadValue(Text("a text that is not empty"))
    return value


def read_flag(value: object) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise BadValue(Text("true or false"))
    return value


def read_words(value: object) -> tuple[str, ...]:
    """Read a list of different texts."""
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise BadValue(Text("a list of texts that are not empty"))
    if len(set(value)) < len(value):
        raise BadValue(Text("a list without duplicates"))
    return tuple(value)


def read_word(kind: type[_Word]) -> Callable[[object], _Word]:
    """Return a reader of one word of a closed set."""

    def read(value: object) -> _Word:
        allowed = [word.value for word in kind]
        if value not in allowed:
            raise BadValue(Text("one of {allowed}", allowed=", ".join(allowed)), _suggestion(value, allowed))
        return kind(str(value))

    return read


def read_separator(value: object) -> str:
    """Read one ASCII character that can separate fields.

    It is neither a letter, a digit nor a line end.
    """
    if not isinstance(value, str) or len(value) != 1 or not value.isascii() or value.isalnum() or value in "\0\r\n":
        raise BadValue(Text("one ASCII character other than a letter, a digit or a line end"))
    return value


def read_encoding(value: object) -> str:
    """Read the name of an encoding that Python knows.

    It must have the characters of ASCII, or be UTF-16 or UTF-32.
    """
    text = read_text(value)
    try:
        name = codecs.lookup(text).name
        has_ascii = "escape" not in name and _ASCII.decode(name) == _ASCII.decode("ascii")
    except LookupError:
        raise BadValue(Text("the name of an encoding such as utf-8, cp1252 or iso8859-2")) from None
    except UnicodeError:
        has_ascii = False
    if not has_ascii and not name.startswith(("utf-16", "utf-32")):
        raise BadValue(Text("an encoding with the characters of ASCII"))
    return name


def read_decimal_mark(value: object) -> str:
    """Read the mark between whole and fraction."""
    if value not in (".", ","):
        raise BadValue("'.' or ','")
    return str(value)


def read_group_mark(value: object) -> str:
    """Read the mark between groups of three digits."""
    if value not in (".", ",", "'", " ", ""):
        raise BadValue(Text("'.', ',', \"'\", ' ' for any space, or '' for no groups"))
    return str(value)


def read_formats(value: object) -> tuple[str, ...]:
    """Read formats of dates that contradict each other in no text."""
    texts = read_words(value)
    try:
        formats = [parse_format(text) for text in texts]
    except ValueError as problem:
        raise BadValue(Text("formats such as '%d.%m.%Y': {problem}", problem=problem)) from problem
    if contradiction := find_contradiction(formats):
        one, other, text = contradiction
        raise BadValue(
            Text(
                "formats that agree, but {one!r} and {other!r} read {text!r} differently",
                one=one.text,
                other=other.text,
                text=text,
            )
        )
    return texts


def read_date_formats(value: object) -> tuple[str, ...]:
    """Read formats of dates without a time."""
    texts = read_formats(value)
    if any(parse_format(text).has_time for text in texts):
        raise BadValue(Text("formats of dates without a time"))
    return texts


def read_target(value: object) -> str:
    """Read the name of a table, with or without a schema."""
    text = read_text(value)
    parts = text.split(".")
    if len(parts) > 2 or not all(is_identifier(part) for part in parts):
        raise BadValue("'table' or 'schema.table'")
    return text


def read_relation(value: object) -> str:
    """Read the name of a table or view with its schema."""
    name = ViewName.parse_or_none(read_text(value), default_schema="")
    if name is None or not name.schema:
        raise BadValue("'schema.table'")
    return str(name)


def read_column_name(value: object) -> str:
    """Read the name of a column."""
    text = read_text(value)
    if not is_identifier(text):
        raise BadValue(Text("a name of 1 to {max_bytes} bytes", max_bytes=MAX_NAME_BYTES))
    return text


def read_type(value: object) -> str:
    """Read the name of a type, perhaps with a precision."""
    text = read_text(value)
    if not _TYPE.fullmatch(text):
        raise BadValue(Text("a type of PostgreSQL such as numeric(12,2) or timestamptz"))
    return text


def read_currency(value: object) -> str:
    """Read an ISO 4217 code."""
    if value not in sorted(CURRENCIES):
        raise BadValue(Text("an ISO 4217 code such as EUR"), _suggestion(value, CURRENCIES))
    return str(value)


def read_mapping(value: object) -> Mapping[str, str]:
    """Read texts by text. Spaces around a key and its case do not matter."""
    if not isinstance(value, dict) or not value or not all(isinstance(one, str) for one in value.values()):
        raise BadValue(Text('texts by text, such as {{ja = "true", nein = "false"}}'))
    if len({fold(key) for key in value}) < len(value):
        raise BadValue(Text("texts by text that differ in more than spaces and case"))
    return dict(value)


def is_identifier(name: str) -> bool:
    """Return whether PostgreSQL can have a name unchanged."""
    return bool(name) and "\0" not in name and len(name.encode("utf-8", "replace")) <= MAX_NAME_BYTES


def _suggestion(value: object, allowed: Iterable[str]) -> str:
    return did_you_mean(value, allowed) if isinstance(value, str) else ""

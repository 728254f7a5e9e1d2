"""Python values as the texts that PostgreSQL reads, and as JSON.

NULL and the empty text stay different: a NULL is an empty field, and every text is quoted.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, Final
from uuid import UUID

from seeder.texts import Text

_ARRAY_SUFFIX = "[]"


def encode_record(values: Sequence[Any], types: Sequence[str | None]) -> bytes:
    """Return a record of CSV with a line end. `types` are those of the columns in PostgreSQL, None if unknown.

    A list is an array if the column is one, otherwise JSON. Raises `TypeError` for a value without a text.
    """
    fields = [
        "" if value is None else _quoted(encode_value(value, type_name))
        for value, type_name in zip(values, _padded(types, len(values)), strict=True)
    ]
    return (",".join(fields) + "\n").encode("utf-8", "surrogatepass")  # the load rejects surrogates


def malformed_record(*, columns: int) -> bytes:
    """Return a record of CSV that every load rejects.

    It has one field too many.
    """
    return b"," * columns + b"\n"


def encode_value(value: Any, type_name: str | None) -> str:
    """Return the text that PostgreSQL reads for a value of a column. Raises `TypeError`."""
    if isinstance(value, list | tuple) and type_name is not None and type_name.endswith(_ARRAY_SUFFIX):
        return _array(value)
    encode = _ENCODERS.get(type(value)) or _encoder_of_base(value)
    return encode(value)


def json_record(names: Sequence[str], values: Sequence[Any]) -> bytes:
    """Return a record as a JSON object. A record of another length than the names is a list."""
    document = dict(zip(names, values, strict=True)) if len(names) == len(values) else list(values)
    return json.dumps(document, default=_json_value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _padded(types: Sequence[str | None], length: int) -> Sequence[str | None]:
    """Return as many types as a record has values."""
    return [*types[:length], *(None for _ in range(length - len(types)))]


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _array(values: Sequence[Any]) -> str:
    """Return the literal of an array. Nested lists are its dimensions."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list | tuple):
        return _array(value)
    return '"' + encode_value(value, None).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _interval(value: timedelta) -> str:
    return f"{value.days} days {value.seconds}.{value.microseconds:06} seconds"


def _json(value: Any) -> str:
    return json.dumps(value, default=_json_value, ensure_ascii=False)


def _json_value(value: Any) -> Any:
    """Return a value that JSON can have, with all of its digits."""
    if isinstance(value, Mapping):
        return dict(value)
    return encode_value(value, None)


_ENCODERS: Final[Mapping[type, Callable[[Any], str]]] = {
    str: str,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: repr,
    Decimal: str,
    datetime: lambda value: value.isoformat(" "),
    date: lambda value: value.isoformat(),
    time: lambda value: value.isoformat(),
    timedelta: _interval,
    bytes: lambda value: "\\x" + value.hex(),
    bytearray: lambda value: "\\x" + value.hex(),
    memoryview: lambda value: "\\x" + value.hex(),
    dict: _json,
    list: _json,
    tuple: _json,
    **dict.fromkeys((UUID, IPv4Address, IPv6Address, IPv4Network, IPv6Network), str),
}


def _encoder_of_base(value: Any) -> Callable[[Any], str]:
    """Return the encoder of a subclass. An enumeration has the text of its value."""
    if isinstance(value, Enum):
        return lambda member: encode_value(member.value, None)
    for base in type(value).__mro__:
        if base in _ENCODERS:
            return str.__str__ if base is str else _ENCODERS[base]
    if isinstance(value, Mapping):
        return lambda mapping: _json(dict(mapping))
    raise TypeError(Text("a value of the type {type} has no text in PostgreSQL", type=type(value).__name__))

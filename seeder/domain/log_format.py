"""Formats of log events: always one line, so that a name cannot forge an event."""

import json
from collections.abc import Mapping
from datetime import datetime

from seeder.domain.view_names import one_line

LogValue = str | int | float | bool | tuple[str, ...]
LogFields = Mapping[str, LogValue]

# Blanks, quotes, equals signs, commas and everything that is escaped need quotes.
_UNQUOTED_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:/+@%")


def as_text(event: str, fields: LogFields) -> str:
    """Return the event, then `name=value` pairs. The log handler adds time and level."""
    return " ".join((event, *(f"{name}={_format_value(fact)}" for name, fact in fields.items())))


def as_json(event: str, fields: LogFields, *, time: datetime, level: str) -> str:
    """Return the event as one JSON object.

    Escapes everything beyond ASCII, because some log readers treat other characters than a line feed as a line end.
    """
    record = {"time": time.isoformat(timespec="milliseconds"), "level": level, "event": event, **fields}
    return json.dumps(record, ensure_ascii=True)


def _format_value(value: LogValue) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:.3f}"
        case int():
            return str(value)
        case str():
            return _quote_if_needed(value)
    return ",".join(map(_quote_if_needed, value))


def _quote_if_needed(text: str) -> str:
    if text and _UNQUOTED_CHARACTERS.issuperset(text):
        return text
    return one_line(json.dumps(text, ensure_ascii=False), keep="")

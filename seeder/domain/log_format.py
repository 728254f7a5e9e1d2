"""How an event stands in a log: on one line, whatever a name holds, so that none can forge another."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from seeder.domain.view_names import one_line

LogValue = str | int | float | bool | tuple[str, ...]
LogFields = Mapping[str, LogValue]

# What needs no quotes: no blank, no quote, no equals sign or comma, nothing that is escaped.
_UNQUOTED_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:/+@%")


def as_text(event: str, fields: LogFields) -> str:
    """The event's word, then `name=value` for whoever reads or searches it; a time and a level the handler adds."""
    return " ".join((event, *(f"{name}={_format_value(fact)}" for name, fact in fields.items())))


def as_json(event: str, fields: LogFields, *, time: datetime, level: str) -> str:
    """One object that is complete in itself. Beyond ASCII everything is escaped: some take other characters than a line
    feed for the end of a line."""
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
    return text if text and _UNQUOTED_CHARACTERS.issuperset(text) else one_line(json.dumps(text, ensure_ascii=False))


def sorted_unique(texts: Iterable[str]) -> tuple[str, ...]:
    """Each once, in an order that does not change."""
    return tuple(sorted(set(texts)))

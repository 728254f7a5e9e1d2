"""How an event stands in a log: on one line, whatever a name holds, so that none can forge another."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from seeder.domain.names import one_line

Fact = str | int | float | bool | tuple[str, ...]
Facts = Mapping[str, Fact]

# What needs no quotes: no blank, no quote, no equals sign or comma, nothing that is escaped.
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:/+@%")


def as_text(event: str, facts: Facts) -> str:
    """The event's word, then `name=value` for whoever reads or searches it; a time and a level the handler adds."""
    return " ".join((event, *(f"{name}={_written(fact)}" for name, fact in facts.items())))


def as_json(event: str, facts: Facts, *, time: datetime, level: str) -> str:
    """One object that is complete in itself. Beyond ASCII everything is escaped: some take other characters than a line
    feed for the end of a line."""
    whole = {"time": time.isoformat(timespec="milliseconds"), "level": level, "event": event, **facts}
    return json.dumps(whole, ensure_ascii=True)


def _written(fact: Fact) -> str:
    match fact:
        case bool():
            return str(fact).lower()
        case float():
            return f"{fact:.3f}"
        case int():
            return str(fact)
        case str():
            return _text(fact)
    return ",".join(map(_text, fact))


def _text(text: str) -> str:
    return text if text and _PLAIN.issuperset(text) else one_line(json.dumps(text, ensure_ascii=False))


def words(texts: Iterable[str]) -> tuple[str, ...]:
    """Each once, in an order that does not change."""
    return tuple(sorted(set(texts)))

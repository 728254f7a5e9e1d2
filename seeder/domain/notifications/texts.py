"""Notifications in words, for people."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from seeder.domain.notifications.events import Event, Facts

_VERBS = {
    Event.VIEW_FAILED: "failed",
    Event.VIEW_RECOVERED: "recovered",
    Event.VIEW_LATE: "is late",
    Event.VIEW_HELD: "was held by its data checks",
    Event.LOAD_FAILED: "failed",
    Event.LOAD_RECOVERED: "recovered",
}
_LABELS = {
    "database": "database",
    "load_id": "load",
    "attempt": "attempt",
    "agencies": "agencies",
    "reason": "reason",
    "sqlstate": "SQLSTATE",
    "failures": "failures in a row",
    "previous": "before",
    "since": "since",
    "deadline": "deadline",
    "severity": "severity",
    "run_id": "run",
    "succeeded": "succeeded",
    "failed": "failed",
    "stopped_by": "stopped by",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """What is notified."""

    event: Event
    facts: Facts
    at: datetime  # the database's clock


def subject_of(notifications: Sequence[Notification]) -> str:
    """Return the subject of one notification, or of a digest, in one line."""
    if len(notifications) == 1:
        return _sentence(notifications[0])
    counts = Counter(one.event for one in notifications)
    kinds = ", ".join(f"{number} {event.replace('_', ' ')}" for event, number in counts.most_common())
    return f"{len(notifications)} notifications: {kinds}"


def body_of(notifications: Sequence[Notification]) -> str:
    """Return the text of one notification, or of a digest, with a line for each fact."""
    return "\n\n".join("\n".join(_lines(one)) for one in notifications) + "\n"


def shortened(text: str, most: int) -> str:
    """Return the first lines of a text with at most `most` characters, and an ellipsis if others follow."""
    if len(text) <= most:
        return text
    return f"{text[: most - 10].rpartition(chr(10))[0]}\n…\n"


def _sentence(one: Notification) -> str:
    if one.event is Event.RUN_FINISHED:
        return f"Run finished: {one.facts['succeeded']} succeeded, {one.facts['failed']} failed"
    reason = f": {one.facts['reason']}" if one.facts.get("reason") else ""
    name = one.facts["view"] if "view" in one.facts else f"Source {one.facts['source']}"
    return " ".join(f"{name} {_VERBS[one.event]}{reason}".split())


def _lines(one: Notification) -> Iterator[str]:
    yield _sentence(one)
    yield f"  at: {one.at.isoformat(sep=' ', timespec='seconds')}"
    for name, label in _LABELS.items():
        if (value := one.facts.get(name)) not in (None, "", []):
            yield f"  {label}: {', '.join(map(str, value)) if isinstance(value, list) else value}"

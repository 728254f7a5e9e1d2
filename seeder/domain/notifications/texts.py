"""Notifications in words, for people."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from seeder.domain.human_format import format_count
from seeder.domain.monitoring.view_counts import count_text
from seeder.domain.notifications.events import Event, Facts
from seeder.texts import OneLineText, Text

_SENTENCES: Mapping[Event, Callable[[str], Text]] = {
    Event.VIEW_FAILED: lambda name: OneLineText("{name} failed", name=name),
    Event.VIEW_RECOVERED: lambda name: OneLineText("{name} recovered", name=name),
    Event.VIEW_LATE: lambda name: OneLineText("{name} is late", name=name),
    Event.VIEW_HELD: lambda name: OneLineText("{name} was held by its data checks", name=name),
    Event.LOAD_FAILED: lambda name: OneLineText("{name} failed", name=name),
    Event.LOAD_RECOVERED: lambda name: OneLineText("{name} recovered", name=name),
}
_COUNTS: Mapping[Event, Text] = {
    Event.RUN_FINISHED: Text.counted("{number:,} run finished", "{number:,} runs finished", 0),
    Event.VIEW_FAILED: Text.counted("{number:,} view failed", "{number:,} views failed", 0),
    Event.VIEW_RECOVERED: Text.counted("{number:,} view recovered", "{number:,} views recovered", 0),
    Event.VIEW_LATE: Text.counted("{number:,} view late", "{number:,} views late", 0),
    Event.VIEW_HELD: Text.counted("{number:,} view held", "{number:,} views held", 0),
    Event.LOAD_FAILED: Text.counted("{number:,} load failed", "{number:,} loads failed", 0),
    Event.LOAD_RECOVERED: Text.counted("{number:,} load recovered", "{number:,} loads recovered", 0),
}
_LABELS = {
    "database": Text("database"),
    "load_id": Text("load"),
    "attempt": Text("attempt"),
    "agencies": Text("agencies"),
    "reason": Text("reason"),
    "sqlstate": "SQLSTATE",
    "failures": Text("failures in a row"),
    "previous": Text("before"),
    "since": Text("since"),
    "deadline": Text("deadline"),
    "severity": Text("severity"),
    "run_id": Text("run"),
    "succeeded": Text("succeeded"),
    "failed": Text("failed"),
    "held": Text("held"),
    "interrupted": Text("interrupted"),
    "stopped_by": Text("stopped by"),
}
_LINE = "  {label}: {value}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """What is notified."""

    event: Event
    facts: Facts
    at: datetime  # the database's clock


def subject_of(notifications: Sequence[Notification]) -> Text:
    """Return the subject of one notification, or of a digest, in one line."""
    if len(notifications) == 1:
        return _sentence(notifications[0])
    counts = Counter(one.event for one in notifications)
    kinds = [_COUNTS[event].with_number(number) for event, number in counts.most_common()]
    total = format_count(len(notifications), "notification")
    return Text("{notifications}: {kinds}", notifications=total, kinds=Text.joined(kinds))


def body_of(notifications: Sequence[Notification]) -> Text:
    """Return the text of one notification, or of a digest, with a line for each fact."""
    paragraphs = [Text.joined(_lines(one), "\n") for one in notifications]
    return Text.joined([Text.joined(paragraphs, "\n\n"), ""], "\n")


def shortened(text: str, most: int) -> str:
    """Return the first lines of a text with at most `most` characters, and an ellipsis if others follow."""
    if len(text) <= most:
        return text
    return f"{text[: most - 10].rpartition(chr(10))[0]}\n…\n"


def _sentence(one: Notification) -> Text:
    facts = one.facts
    if one.event is Event.RUN_FINISHED:
        counts = {state: facts.get(state) or 0 for state in ("succeeded", "failed", "held", "interrupted")}
        counts["failed"] -= counts["held"]
        shown = [count_text(state, n) for state, n in counts.items() if n or state in {"succeeded", "failed"}]
        return Text("Run finished: {counts}", counts=Text.joined(shown))
    name = facts["view"] if "view" in facts else Text("Source {source}", source=facts["source"])
    sentence = _SENTENCES[one.event](name)
    if not facts.get("reason"):
        return sentence
    return OneLineText("{sentence}: {reason}", sentence=sentence, reason=facts["reason"])


def _lines(one: Notification) -> Iterator[Text]:
    yield _sentence(one)
    yield Text(_LINE, label=Text("at"), value=one.at.isoformat(sep=" ", timespec="seconds"))
    for name, label in _LABELS.items():
        if (value := one.facts.get(name)) not in (None, "", []):
            yield Text(_LINE, label=label, value=", ".join(map(str, value)) if isinstance(value, list) else value)

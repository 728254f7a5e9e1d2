"""Nouns that are counted, each with its plural. A language has its own forms of these messages."""

from collections.abc import Mapping
from typing import NamedTuple


class Noun(NamedTuple):
    """The templates for 1 and for other numbers."""

    singular: str
    plural: str


NOUNS: Mapping[str, Noun] = {
    "active session": Noun("{number:,} active session", "{number:,} active sessions"),
    "bad row": Noun("{number:,} bad row", "{number:,} bad rows"),
    "changed row": Noun("{number:,} changed row", "{number:,} changed rows"),
    "closed reject": Noun("{number:,} closed reject", "{number:,} closed rejects"),
    "column": Noun("{number:,} column", "{number:,} columns"),
    "connection": Noun("{number:,} connection", "{number:,} connections"),
    "contract": Noun("{number:,} contract", "{number:,} contracts"),
    "data check": Noun("{number:,} data check", "{number:,} data checks"),
    "day": Noun("{number:,} day", "{number:,} days"),
    "dependent view": Noun("{number:,} dependent view", "{number:,} dependent views"),
    "difference": Noun("{number:,} difference", "{number:,} differences"),
    "digit": Noun("{number:,} digit", "{number:,} digits"),
    "ended request": Noun("{number:,} ended request", "{number:,} ended requests"),
    "equal line": Noun("{number:,} equal line", "{number:,} equal lines"),
    "failed load": Noun("{number:,} failed load", "{number:,} failed loads"),
    "failure": Noun("{number:,} failure", "{number:,} failures"),
    "field": Noun("{number:,} field", "{number:,} fields"),
    "interval": Noun("{number:,} interval", "{number:,} intervals"),
    "late table": Noun("{number:,} late table", "{number:,} late tables"),
    "load": Noun("{number:,} load", "{number:,} loads"),
    "manifest": Noun("{number:,} manifest", "{number:,} manifests"),
    "more agency": Noun("{number:,} more agency", "{number:,} more agencies"),
    "more check": Noun("{number:,} more check", "{number:,} more checks"),
    "more column": Noun("{number:,} more column", "{number:,} more columns"),
    "more failing view": Noun("{number:,} more failing view", "{number:,} more failing views"),
    "more late view": Noun("{number:,} more late view", "{number:,} more late views"),
    "more long-running view": Noun("{number:,} more long-running view", "{number:,} more long-running views"),
    "more input": Noun("{number:,} more input", "{number:,} more inputs"),
    "more query": Noun("{number:,} more query", "{number:,} more queries"),
    "more view": Noun("{number:,} more view", "{number:,} more views"),
    "newer load": Noun("{number:,} newer load", "{number:,} newer loads"),
    "notification": Noun("{number:,} notification", "{number:,} notifications"),
    "open reject": Noun("{number:,} open reject", "{number:,} open rejects"),
    "other agency": Noun("{number:,} other agency", "{number:,} other agencies"),
    "other data check": Noun("{number:,} other data check", "{number:,} other data checks"),
    "other load": Noun("{number:,} other load", "{number:,} other loads"),
    "other missing view": Noun("{number:,} other missing view", "{number:,} other missing views"),
    "other reject": Noun("{number:,} other reject", "{number:,} other rejects"),
    "other report": Noun("{number:,} other report", "{number:,} other reports"),
    "other session": Noun("{number:,} other session", "{number:,} other sessions"),
    "other task": Noun("{number:,} other task", "{number:,} other tasks"),
    "other view": Noun("{number:,} other view", "{number:,} other views"),
    "part": Noun("{number:,} part", "{number:,} parts"),
    "partition": Noun("{number:,} partition", "{number:,} partitions"),
    "previous value": Noun("{number:,} previous value", "{number:,} previous values"),
    "record": Noun("{number:,} record", "{number:,} records"),
    "reject": Noun("{number:,} reject", "{number:,} rejects"),
    "report": Noun("{number:,} report", "{number:,} reports"),
    "request": Noun("{number:,} request", "{number:,} requests"),
    "row": Noun("{number:,} row", "{number:,} rows"),
    "run": Noun("{number:,} run", "{number:,} runs"),
    "running part": Noun("{number:,} running part", "{number:,} running parts"),
    "shorter view": Noun("{number:,} shorter view", "{number:,} shorter views"),
    "table": Noun("{number:,} table", "{number:,} tables"),
    "task": Noun("{number:,} task", "{number:,} tasks"),
    "time": Noun("{number:,} time", "{number:,} times"),
    "upload": Noun("{number:,} upload", "{number:,} uploads"),
    "view": Noun("{number:,} view", "{number:,} views"),
    "warning": Noun("{number:,} warning", "{number:,} warnings"),
    "worker": Noun("{number:,} worker", "{number:,} workers"),
    "error": Noun("{number:,} error", "{number:,} errors"),
    "note": Noun("{number:,} note", "{number:,} notes"),
    "hint": Noun("{number:,} hint", "{number:,} hints"),
    "suggestion": Noun("{number:,} suggestion", "{number:,} suggestions"),
}

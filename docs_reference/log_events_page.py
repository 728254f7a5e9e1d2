"""docs/reference/log-events.md: the events of the logs with their fields."""

from collections.abc import Mapping

from docs_reference.log_events import LOADING_EVENTS, LOG_EVENTS, LogEvent
from docs_reference.markdown_text import code, page, table

_INTRO = """The loggers `seeder` and `data_pipeline` write one line for each event. [Monitor it with
programs](../how-to/monitoring.md#the-log) shows how to configure them. Unknown fields are left out. `reason` is
explained in [reasons](reasons.md)."""


def render() -> str:
    """Return the page."""
    refreshing, loading = _table(LOG_EVENTS), _table(LOADING_EVENTS)
    return page("Log events", _INTRO, "## The log `seeder`", refreshing, "## The log `data_pipeline`", loading)


def _table(events: Mapping[str, LogEvent]) -> str:
    rows = [
        (code(name), event.level, event.meaning, " ".join(map(code, event.fields)), event.advice)
        for name, event in events.items()
    ]
    return table(("event", "level", "meaning", "fields", "what to do"), rows)

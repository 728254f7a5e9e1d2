"""docs/reference/log-events.md: the events of the log with their fields."""

from docs_reference.log_events import LOG_EVENTS
from docs_reference.markdown_text import code, page, table

_INTRO = """The logger `seeder` writes one line for each event. [Monitor it with
programs](../how-to/monitoring.md#the-log) shows how to configure it. Unknown fields are left out. `reason` is
explained in [reasons](reasons.md)."""


def render() -> str:
    """Return the page."""
    rows = [
        (code(name), event.level, event.meaning, " ".join(map(code, event.fields)), event.advice)
        for name, event in LOG_EVENTS.items()
    ]
    return page("Log events", _INTRO, table(("event", "level", "meaning", "fields", "what to do"), rows))

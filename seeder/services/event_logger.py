"""The log `seeder`: one line an event, with its facts. What nobody configures goes nowhere.

A host's handlers get a record whose message is a whole line, in the format that the settings name, and whose attribute
`seeder` is the same as a dictionary, for a formatter of the host's own. No fact is ever a message of PostgreSQL, which
can quote the data: a log goes further than the row. Nor is any a secret.
"""

import logging
from datetime import UTC, datetime

from seeder import conf
from seeder.domain.log_format import LogValue, as_json, as_text
from seeder.errors import ConfigurationError

_log = logging.getLogger("seeder")
_log.addHandler(logging.NullHandler())

INFO, WARNING, ERROR = logging.INFO, logging.WARNING, logging.ERROR


def log_event(level: int, event: str, /, **fields: LogValue | None) -> None:
    """What is None is left out."""
    if not _log.isEnabledFor(level):
        return
    known = {name: fact for name, fact in fields.items() if fact is not None}
    if _format() == "json":
        line = as_json(event, known, time=datetime.now(UTC), level=logging.getLevelName(level))
    else:
        line = as_text(event, known)
    _log.log(level, "%s", line, extra={"seeder": {"event": event, **known}})


def _format() -> str:
    try:
        return conf.load().log_format
    except ConfigurationError:  # which is said elsewhere
        return "text"

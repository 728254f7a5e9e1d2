"""The log `seeder`: one line per event, with its fields. Without a handler of the host nothing is written.

The message of a record is the complete line, in the format of the settings. Its attribute `seeder` has the same fields
as a dictionary, for a formatter of the host. No field is a message of PostgreSQL, which can quote data, or a secret.
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
    """Log an event. Fields that are None are left out."""
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
    except ConfigurationError:  # reported elsewhere
        return "text"

"""Logs of events: one line per event, with its fields. Without a handler of the host nothing is written.

The message of a record is the complete line, in the format of the settings. An attribute with the name of the log has
the same fields as a dictionary, for a formatter of the host. No field is a message of PostgreSQL, which can quote data,
or a secret.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from seeder.domain.log_format import LogValue, as_json, as_text
from seeder.errors import ConfigurationError

INFO, WARNING, ERROR = logging.INFO, logging.WARNING, logging.ERROR


class EventLog:
    """A named log. Public: other apps may have their own.

    `read_format` returns `text` or `json`. It may raise `ConfigurationError`.
    """

    def __init__(self, name: str, read_format: Callable[[], str]) -> None:
        self._name, self._read_format = name, read_format
        self._log = logging.getLogger(name)
        self._log.addHandler(logging.NullHandler())

    def write(self, level: int, event: str, /, **fields: LogValue | None) -> None:
        """Log an event. Fields that are None are left out."""
        if not self.is_enabled(level):
            return
        known = {name: fact for name, fact in fields.items() if fact is not None}
        if self._format() == "json":
            line = as_json(event, known, time=datetime.now(UTC), level=logging.getLevelName(level))
        else:
            line = as_text(event, known)
        self._log.log(level, "%s", line, extra={self._name: {"event": event, **known}})

    def is_enabled(self, level: int) -> bool:
        """Return whether events of this level are logged."""
        return self._log.isEnabledFor(level)

    def _format(self) -> str:
        try:
            return self._read_format()
        except ConfigurationError:  # reported elsewhere
            return "text"


def _format_of_seeder() -> str:
    from seeder import conf  # imports Django, which `EventLog` does not need

    return conf.load().log_format


_log = EventLog("seeder", _format_of_seeder)
log_event, is_logged = _log.write, _log.is_enabled

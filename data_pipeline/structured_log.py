"""The log `data_pipeline`: one line per event. Needs no Django."""

from data_pipeline import conf
from seeder.services.structured_log import ERROR, INFO, WARNING, EventLog

__all__ = ["ERROR", "INFO", "WARNING", "log_event"]

log_event = EventLog("data_pipeline", lambda: conf.load_in_use().log_format).write

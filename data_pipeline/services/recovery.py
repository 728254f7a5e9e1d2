"""Closes loads whose process or connection has ended."""

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.postgres import load_log
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.structured_log import WARNING, log_event


def recover_loads(*, actor: str, database: str = DEFAULT_DB_ALIAS) -> list[int]:
    """Mark stuck loads as failed. Return their ids. Safe to call at any time, and concurrently."""
    recovered = []
    with translate_errors(database):
        for load in load_log.stuck_loads(database):
            if load_log.interrupt(database, load, actor=actor):
                log_event(WARNING, "load_interrupted", load_id=load.load_id, source=load.source, attempt=load.attempts)
                recovered.append(load.load_id)
    return recovered

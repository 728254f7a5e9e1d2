"""Closes loads whose process or connection has ended."""

from collections.abc import Mapping

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.postgres import load_log
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.load_databases import databases_with_loads
from data_pipeline.structured_log import WARNING, log_event


def recover_loads(*, actor: str, database: str = DEFAULT_DB_ALIAS) -> list[int]:
    """Mark stuck loads as failed. Return their ids. Safe to call at any time, and concurrently."""
    recovered = []
    with translate_errors(database):
        for load in load_log.stuck_loads(database):
            if load_log.interrupt(database, load, actor=actor):
                log_event(WARNING, "load_interrupted", load_id=load.load_id, source=load.source, attempt=load.attempts)
                recovered.append(load.load_id)
    return recovered


def recover_all_loads(*, actor: str) -> Mapping[str, list[int]]:
    """Mark stuck loads of all databases as failed. Return their ids by the alias of their database."""
    databases = [DEFAULT_DB_ALIAS, *(one for one in databases_with_loads() if one != DEFAULT_DB_ALIAS)]
    return {database: recover_loads(actor=actor, database=database) for database in databases}

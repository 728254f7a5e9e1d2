"""Closes loads whose process or connection has ended."""

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.postgres import load_log


def recover_loads(*, actor: str, database: str = DEFAULT_DB_ALIAS) -> list[int]:
    """Mark dead pending loads as failed. Return their ids. Safe to call at any time, and concurrently."""
    return [load.load_id for load in load_log.dead_loads(database) if load_log.interrupt(database, load, actor=actor)]

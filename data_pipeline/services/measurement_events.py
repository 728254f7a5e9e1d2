"""Saves counters of a process as events, which the metrics add up."""

from collections.abc import Mapping
from typing import Any

from django.db import Error, connections

from data_pipeline.postgres import load_totals
from data_pipeline.structured_log import WARNING, log_event
from seeder.services.process_name import process_name


def save_measurement(source: str, facts: Mapping[str, Any], database: str) -> None:
    """Save counters. A failure is only logged, because the work itself has succeeded."""
    actor = process_name()
    try:
        load_totals.save_measurement(database, actor=actor, facts={"source": source, **facts})
    except Error:
        if connections[database].in_atomic_block:
            raise
        log_event(WARNING, "measurement_lost", source=source)

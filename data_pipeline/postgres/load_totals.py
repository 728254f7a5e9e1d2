"""Counters and current numbers of loads, for the metrics. Their cost does not grow with the number of loads."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from data_pipeline.domain.metrics_values import DURATION_BOUNDS, OpenLoads
from data_pipeline.postgres import load_log
from data_pipeline.postgres.json_values import jsonb
from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions

MAX_EVENTS = 50_000  # that a scrape reads; later ones are counted at the next scrape
MAX_ROWS = 100_000  # that are counted of open loads, refreshes and rejects


def save_measurement(database: str, *, actor: str, facts: Mapping[str, Any]) -> None:
    """Keep counters of a process as an event."""
    sessions.query(database, STATEMENTS["save_measurement"], {"actor": actor, "facts": jsonb(facts)})


def fold_events(database: str) -> None:
    """Move the values of events into the totals, in the current transaction. Does nothing if this session cannot."""
    if sessions.query(database, STATEMENTS["lock_totals"])[0][0]:
        _over_events(database, "fold_events")


def read_totals(database: str) -> Sequence[tuple[str, str, str, float]]:
    """Return metric, source, label and value of each counter.

    The sources come in the order in which they became known.
    """
    rows = _over_events(database, "read_totals")
    return [(metric, source, label, value) for metric, source, label, value, _ in rows]


def _over_events(database: str, statement: str) -> list[Any]:
    parameters = {"max_events": MAX_EVENTS, "bounds": list(DURATION_BOUNDS)}
    return sessions.query(database, f"{STATEMENTS['later_events']}\n{STATEMENTS[statement]}", parameters)


def open_loads(database: str) -> Sequence[OpenLoads]:
    """Return the pending and failed loads by source."""
    stuck = [load.load_id for load in load_log.stuck_loads(database)]
    parameters = {"stuck": stuck, "max_rows": MAX_ROWS}
    return sessions.query(database, STATEMENTS["open_loads"], parameters, row_factory=class_row(OpenLoads))


def undispatched_refreshes(database: str) -> tuple[int, datetime | None]:
    """Return the number of refreshes that are not dispatched.

    Also the instant of the oldest one.
    """
    [(count, oldest_at)] = sessions.query(database, STATEMENTS["undispatched_refreshes"], {"max_rows": MAX_ROWS})
    return count, oldest_at


def open_rejects(database: str) -> int:
    """Return the number of rejects that are neither replayed nor dismissed."""
    return int(sessions.query(database, STATEMENTS["open_rejects"], {"max_rows": MAX_ROWS})[0][0])

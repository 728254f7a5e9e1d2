"""Metrics of loads, read from the tables within a deadline."""

from collections.abc import Callable
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.domain.metrics_values import Counters, LoadGauges
from data_pipeline.postgres import load_totals
from seeder.postgres.deadline_query import DeadlineQuery
from seeder.postgres.sqlstates import translate_database_errors

_TIMEOUT = timedelta(seconds=8)  # two seconds less than the default timeout of Prometheus


def start_reading() -> Callable[[], LoadGauges]:
    """Start to read all metrics. The returned function waits for them until the deadline. Raises `DatabaseError`."""
    pending = _QUERY.start()

    def answer() -> LoadGauges:
        with translate_database_errors(DEFAULT_DB_ALIAS):
            return pending.answer()

    return answer


def _read() -> LoadGauges:
    database = DEFAULT_DB_ALIAS
    load_totals.fold_events(database)
    undispatched, oldest_undispatched_at = load_totals.undispatched_refreshes(database)
    return LoadGauges(
        counters=Counters.from_rows(load_totals.read_totals(database)),
        open_loads=load_totals.open_loads(database),
        undispatched_refreshes=undispatched,
        oldest_undispatched_at=oldest_undispatched_at,
        open_rejects=load_totals.open_rejects(database),
    )


_QUERY = DeadlineQuery(DEFAULT_DB_ALIAS, _read, timeout=_TIMEOUT)

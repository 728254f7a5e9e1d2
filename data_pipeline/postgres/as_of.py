"""Which loads of the tables behind views these contain."""

from collections.abc import Mapping, Sequence

from django.db import Error
from psycopg import sql

from data_pipeline.postgres.statements import STATEMENTS
from seeder.domain.as_of import TableAsOf, TableBehindView
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, transactions


def loads_in_views(database: str, tables: Sequence[TableBehindView]) -> Mapping[ViewName, Sequence[TableAsOf]]:
    """Return the loads that views contain.

    Views that read no loaded table are left out.

    Nothing if the database has no loads, or cannot be read: pages and commands then show no loads.
    """
    views = sorted({one.view for one in tables})
    numbers = {view: number for number, view in enumerate(views)}
    refreshes = [(numbers[one.view], str(one.table), refresh) for one in tables for refresh in one.snapshots]
    parameters = {
        "numbers": [number for number, _, _ in refreshes],
        "targets": [target for _, target, _ in refreshes],
        "snapshots": [refresh.snapshot for _, _, refresh in refreshes],
        "taken_at": [refresh.taken_at for _, _, refresh in refreshes],
    }
    statement = sql.SQL(STATEMENTS["loads_in_views"]).format(is_missing=sql.SQL(STATEMENTS["is_missing"]))
    rows = transactions.attempt(database, lambda: sessions.query(database, statement, parameters))
    found: dict[ViewName, list[TableAsOf]] = {}
    for number, target, load_id, loaded_at, newer_loads, by_times in [] if isinstance(rows, Error) else rows:
        found.setdefault(views[number], []).append(
            TableAsOf(table=target, load_id=load_id, loaded_at=loaded_at, newer_loads=newer_loads, by_times=by_times)
        )
    return found

"""When views were refreshed, with which snapshot, and the tables behind them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS
from psycopg import sql

from seeder.domain.as_of import RefreshSnapshot
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS

_NO_METRICS = sql.SQL("(SELECT NULL::bigint AS history_id, NULL::text AS snapshot)")


def last_snapshots(
    wanted: Sequence[tuple[Collection[str], datetime | None]], *, has_metrics: bool
) -> Mapping[int, RefreshSnapshot]:
    """Return the latest successful refresh of each wanted view, by position.

    A wanted view is the spellings of its name, and a time at which the refresh had ended, or None for now. Views that
    were never refreshed are left out.
    """
    names = [(position, name, ended_by) for position, (names, ended_by) in enumerate(wanted) for name in names]
    parameters = {
        "positions": [position for position, _, _ in names],
        "names": [name for _, name, _ in names],
        "ended_by": [ended_by for _, _, ended_by in names],
    }
    metrics = sql.Identifier("reporting", "seeder_run_metrics") if has_metrics else _NO_METRICS
    statement = sql.SQL(STATEMENTS["last_snapshots"]).format(metrics=metrics)
    found: dict[int, RefreshSnapshot] = {}
    for position, taken_at, snapshot in sessions.query(DEFAULT_DB_ALIAS, statement, parameters):
        if position not in found or found[position].taken_at < taken_at:
            found[position] = RefreshSnapshot(taken_at=taken_at, snapshot=snapshot)
    return found


def current_snapshot(database: str) -> RefreshSnapshot:
    """Return what the current transaction can see."""
    [(taken_at, snapshot)] = sessions.query(database, STATEMENTS["current_snapshot"])
    return RefreshSnapshot(taken_at=taken_at, snapshot=snapshot)


def tables_and_relatives(database: str, oids: Collection[int]) -> Mapping[int, Sequence[ViewName]]:
    """Return the names of each table, its parents and its partitions, by the table's OID."""
    found = defaultdict[int, list[ViewName]](list)
    for oid, schema, name in sessions.query(database, STATEMENTS["tables_and_relatives"], {"oids": list(oids)}):
        found[oid].append(ViewName(schema=schema, name=name))
    return found

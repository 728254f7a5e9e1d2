"""Facts that the doctor needs about the loading lane. Names are quoted for SQL unless noted."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db import ProgrammingError, connections
from django.db.migrations.loader import MigrationLoader

from data_pipeline.postgres.load_log import LOCK_PREFIX
from data_pipeline.postgres.statements import STATEMENTS
from seeder.domain.view_names import ViewName
from seeder.postgres import doctor_queries, sessions

_MAX_LOADED_TABLES = 1000


class LoadTable(NamedTuple):
    """A table of the lane, and the role's missing privileges."""

    name: str
    quoted_name: str
    is_present: bool
    missing: Sequence[str]  # privileges
    forbidden_sequence: str | None  # of its ids


class TargetFacts(NamedTuple):
    """A loaded table that exists, with the privileges that the role lacks."""

    position: int  # in the names that were given
    quoted_name: str
    has_key: bool
    quoted_schema: str
    can_use_schema: bool
    missing: Sequence[str]  # privileges


def has_tables(database: str) -> bool:
    """Return whether the tables of the first migration exist."""
    return bool(read(database, "has_load_tables")[0][0])


def unapplied_migrations(database: str) -> Sequence[str]:
    """Return the migrations that the database does not have, in order.

    Empty if the session's role may not read which ones are applied.
    """
    try:
        loader = MigrationLoader(connections[database])
    except ProgrammingError:
        return []
    applied = loader.applied_migrations
    return sorted(name for app, name in loader.disk_migrations if app == "data_pipeline" and (app, name) not in applied)


def load_tables(database: str, needed: dict[str, str]) -> Sequence[LoadTable]:
    """Return the tables of the lane. `needed` has the privileges by table, separated by spaces."""
    rows = read(database, "load_table_privileges", names=list(needed), needed=list(needed.values()))
    return [LoadTable(*row) for row in rows]


def is_audit_protected(database: str) -> bool | None:
    """Return whether the trigger of `load_event` is enabled.

    None means that it is missing.
    """
    rows = read(database, "event_trigger_state")
    return rows[0][0] in {"O", "A"} if rows else None


def stuck_loads(database: str) -> Mapping[str, Sequence[int]]:
    """Return the ids of stuck loads by source."""
    ids: dict[str, list[int]] = {}
    for load_id, source, _ in read(database, "stuck_loads", prefix=LOCK_PREFIX):
        ids.setdefault(source, []).append(load_id)
    return ids


def loaded_tables(database: str) -> Sequence[str]:
    """Return the first tables that were loaded, as loads name them."""
    return [target for (target,) in read(database, "known_targets", limit=_MAX_LOADED_TABLES)]


def target_facts(database: str, targets: Sequence[tuple[ViewName, str]]) -> Sequence[TargetFacts]:
    """Return facts of the tables that exist. Each target has the privileges that it needs, separated by spaces."""
    rows = read(
        database,
        "target_facts",
        schemas=[table.schema for table, _ in targets],
        names=[table.name for table, _ in targets],
        needed=[needed for _, needed in targets],
    )
    return [TargetFacts(*row) for row in rows]


def read(database: str, statement: str, **parameters: Any) -> sessions.Rows:
    """Return the rows of a named statement."""
    return doctor_queries.read_text(database, STATEMENTS[statement], parameters)

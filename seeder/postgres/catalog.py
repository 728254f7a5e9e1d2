"""Questions to the catalog: which relations exist, and which of them read which."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime

from django.db import Error, transaction

from seeder.domain.names import ViewName
from seeder.postgres import identifiers, sessions

MATERIALIZED_VIEW = "m"


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What stands under a view's name."""

    oid: int | None  # None where nothing does
    kind: str | None  # pg_class.relkind
    at: datetime  # the server's time


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """What a refresh wrote, inside its own transaction."""

    rows: int
    bytes: int  # pg_total_relation_size
    at: datetime  # the server's time


def look(database: str, view: ViewName) -> Look:
    [(oid, kind, at)] = sessions.query(database, "look", {"schema": view.schema, "name": view.name})
    return Look(oid=oid, kind=kind, at=at)


def measure(database: str, view: ViewName) -> Measure:
    """What this transaction wrote into an existing view."""
    [(rows, size, at)] = sessions.query(database, "measure", {"schema": view.schema, "name": view.name})
    return Measure(rows=rows, bytes=size, at=at)


def existing(database: str, views: Iterable[ViewName]) -> dict[ViewName, int]:
    """The oids of those of `views` that exist, as whatever kind of relation."""
    wanted = list(views)
    found = sessions.query(
        database,
        "relations",
        {"schemas": [view.schema for view in wanted], "names": [view.name for view in wanted]},
    )
    return {ViewName(schema=schema, name=name): oid for schema, name, oid in found}


def reads(database: str, views: Mapping[ViewName, str]) -> dict[ViewName, Set[ViewName]]:
    """Which of `views` each of them reads; `views` maps each to its query, for those that do not exist yet.

    The server says what a missing view would read: in a transaction that is rolled back, each is made as a plain
    view of the same name, in rounds for as long as a round makes progress, so that one may read another whatever
    their order. A query that cannot be made a view has no dependencies here; its refresh will say what is wrong.
    """
    with sessions.undone(database):
        oids = existing(database, views)
        missing = [view for view in views if view not in oids]
        while missing:
            left = [view for view in missing if not _try_out(database, view, views[view])]
            if len(left) == len(missing):
                break
            missing = left
        oids = existing(database, views)
        names = {oid: view for view, oid in oids.items()}
        found: dict[ViewName, set[ViewName]] = {}
        for reader, read in sessions.query(database, "reads", {"oids": list(names)}):
            found.setdefault(names[reader], set()).add(names[read])
    return dict(found)


def _try_out(database: str, view: ViewName, query: str) -> bool:
    try:
        with transaction.atomic(using=database):
            sessions.execute_one(database, identifiers.create_plain_view(view, query))
    except Error:
        return False
    return True

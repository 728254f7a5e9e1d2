"""Questions to the catalog: which relations exist, and which of them read which."""

from collections.abc import Iterable, Mapping, Set

from django.db import Error, transaction

from seeder.domain.names import ViewName
from seeder.postgres import identifiers, sessions


def exists(database: str, view: ViewName) -> bool:
    """Whether any relation has that name."""
    return bool(existing(database, [view]))


def measure(database: str, view: ViewName) -> tuple[int, int]:
    """The rows that this transaction wrote into a view, and the view's size on disk in bytes."""
    [(rows, size)] = sessions.query(database, "measure", {"schema": view.schema, "name": view.name})
    return rows, size


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

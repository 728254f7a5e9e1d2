"""Questions to the catalog: which relations exist, and which of them read which."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from django.db import Error

from seeder.domain.names import ViewName
from seeder.postgres import identifiers, sessions


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """What the catalog says of some views."""

    existing: frozenset[ViewName]  # as whatever kind of relation
    reads: Mapping[ViewName, Set[ViewName]]  # which of the surveyed views each of them reads


def exists(database: str, view: ViewName) -> bool:
    """Whether any relation has that name."""
    return bool(_oids(database, [view]))


def is_populated(database: str, view: ViewName) -> bool:
    """Whether an existing view can be read."""
    [(populated,)] = sessions.query_about(database, "populated", view)
    return bool(populated)


def rules_out_concurrent(database: str, view: ViewName) -> bool:
    """Whether a materialized view lacks what REFRESH … CONCURRENTLY needs of itself: to have been filled, and a unique
    index that covers every row by plain columns."""
    return bool(sessions.query_about(database, "rules_out_concurrent", view))


def measure(database: str, view: ViewName) -> tuple[int, int]:
    """The rows that this transaction wrote into an existing view, and the view's size on disk in bytes."""
    [(rows, size)] = sessions.query_about(database, "measure", view)
    return rows, size


def survey(database: str, views: Mapping[ViewName, str]) -> Survey:
    """Look at `views`, each with its query, which says what a view would read that does not exist yet.

    The server says it: in a transaction that is rolled back, each missing view is made as a plain view of the same
    name, in rounds for as long as a round makes progress, so that one may read another whatever their order. A query
    that cannot be made a view has no dependencies here; its refresh will say what is wrong.
    """
    with sessions.undone(database):
        sessions.query(database, "hurry")
        existing = _oids(database, views)
        missing = [view for view in views if view not in existing]
        while missing:
            left = [view for view in missing if not _try_out(database, view, views[view])]
            if len(left) == len(missing):
                break
            missing = left
        names = {oid: view for view, oid in _oids(database, views).items()}
        reads: dict[ViewName, set[ViewName]] = {}
        for reader, read in sessions.query(database, "reads", {"oids": list(names)}):
            reads.setdefault(names[reader], set()).add(names[read])
    return Survey(existing=frozenset(existing), reads=reads)


def _try_out(database: str, view: ViewName, query: str) -> bool:
    try:
        with sessions.part(database):
            sessions.execute_one(database, identifiers.create_plain_view(view, query))
    except Error:
        return False
    return True


def _oids(database: str, views: Iterable[ViewName]) -> dict[ViewName, int]:
    wanted = list(views)
    found = sessions.query(
        database,
        "relations",
        {"schemas": [view.schema for view in wanted], "names": [view.name for view in wanted]},
    )
    return {ViewName(schema=schema, name=name): oid for schema, name, oid in found}

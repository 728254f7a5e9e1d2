"""What the catalog says about the members of a consistent group."""

from collections.abc import Collection, Iterable, Mapping, Set
from typing import NamedTuple

from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.catalog import find_used_objects, name_lists
from seeder.postgres.named_statements import STATEMENTS


class MemberState(NamedTuple):
    """An existing member."""

    oid: int
    xmin: str  # of its row in pg_class, which every refresh writes
    is_filled: bool
    has_unique_index: bool  # that CONCURRENTLY can use


class InputTable(NamedTuple):
    """A table that a member reads."""

    oid: int
    name: ViewName
    may_lock: bool


def member_states(database: str, names: Iterable[ViewName]) -> Mapping[ViewName, MemberState]:
    """Return the members that exist."""
    rows = sessions.query(database, STATEMENTS["group_members"], name_lists(names))
    return {ViewName(schema=schema, name=name): MemberState(*facts) for schema, name, *facts in rows}


def input_tables(database: str, oids: Collection[int], names: Iterable[ViewName] = ()) -> Mapping[int, InputTable]:
    """Return the tables among the inputs of views, ordered by name."""
    rows = sessions.query(database, STATEMENTS["group_tables"], {"oids": list(oids), **name_lists(names)})
    return {oid: InputTable(oid, ViewName(schema=schema, name=name), may_lock) for oid, schema, name, may_lock in rows}


def upstream_views(database: str, views: Collection[ViewName]) -> Mapping[ViewName, Set[ViewName]]:
    """Return which materialized views each view reads, for these views and all that they depend on.

    Each layer takes a round trip.
    """
    reads: dict[ViewName, Set[ViewName]] = {}
    while layer := set(views) - reads.keys():
        for view, objects in find_used_objects(database, layer).items():
            reads[view] = {one.relation for one in objects if one.kind == "m" and one.relation}
        views = set().union(*reads.values())
    return reads


def is_replaced(database: str, state: MemberState) -> bool:
    """Return whether another session has changed a member since the snapshot, after this one has refreshed it."""
    return bool(sessions.query(database, STATEMENTS["is_replaced"], {"oid": state.oid, "xmin": state.xmin}))

"""Catalog queries: which relations exist, and which depend on which."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from typing import NamedTuple

from psycopg.rows import namedtuple_row

from seeder.domain.snapshots.snapshot_contents import ViewColumn
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS


def name_lists(names: Iterable[ViewName], *, prefix: str = "") -> dict[str, list[str]]:
    """Return names as the parameters `schemas` and `names` of a statement."""
    names = list(names)
    return {f"{prefix}schemas": [one.schema for one in names], f"{prefix}names": [one.name for one in names]}


def relation_state(database: str, view: ViewName) -> tuple[str, bool] | None:
    """Return the relkind of a relation and whether it can be read, or None if it does not exist."""
    rows = sessions.query(database, STATEMENTS["relation_state"], asdict(view))
    return rows[0] if rows else None


def cannot_refresh_concurrently(database: str, view: ViewName) -> bool:
    """Return whether a view was never filled or has no unique index that CONCURRENTLY can use."""
    return bool(find_unready_for_concurrent_refresh(database, [view]))


def find_unready_for_concurrent_refresh(database: str, views: Iterable[ViewName]) -> set[ViewName]:
    """Return the views that were never filled or have no unique index that CONCURRENTLY can use."""
    rows = sessions.query(database, STATEMENTS["view_facts"], name_lists(views), row_factory=namedtuple_row)
    return {
        ViewName(schema=row.nspname, name=row.relname)
        for row in rows
        if row.relkind == "m" and not (row.relispopulated and row.has_unique_index)
    }


def columns(database: str, relations: Iterable[ViewName]) -> sessions.Rows:
    """Return relation name, column name, type and nullability of all columns, in order."""
    return sessions.query(database, STATEMENTS["relation_columns"], name_lists(relations))


def view_columns(database: str, view: ViewName) -> tuple[ViewColumn, ...]:
    """Return the columns of a view, in order."""
    rows = columns(database, [view])
    return tuple(ViewColumn(name=name, type=kind, nullable=nullable) for _, name, kind, nullable in rows)


class UsedObject(NamedTuple):
    """A relation or a function that a view uses, as a row of the statement `dependencies`."""

    view_schema: str
    view_name: str
    schema: str | None  # of a relation; None for a function
    name: str | None
    view_oid: int
    relation_oid: int | None
    kind: str | None  # relkind of a relation
    can_change: bool  # what lies behind it, without the view
    function_oid: int | None
    is_opaque: bool  # a function with a text body

    @property
    def relation(self) -> ViewName | None:
        return None if self.schema is None or self.name is None else ViewName(schema=self.schema, name=self.name)


def group_used_objects(rows: Iterable[sessions.Row]) -> dict[ViewName, list[UsedObject]]:
    """Return the objects that each view uses, from the rows of `dependencies`."""
    grouped = defaultdict[ViewName, list[UsedObject]](list)
    for one in map(UsedObject._make, rows):
        grouped[ViewName(schema=one.view_schema, name=one.view_name)].append(one)
    return grouped


def find_used_objects(
    database: str, views: Collection[ViewName], *, kinds: Sequence[str] = ("m",)
) -> dict[ViewName, list[UsedObject]]:
    """Return the objects that views of some relkinds use. A view without any, or that does not exist, has none."""
    if not views:
        return {}
    parameters = {**name_lists(views), "kinds": list(kinds)}
    rows = sessions.query(database, STATEMENTS["dependencies"], parameters)
    return {view: [] for view in views} | group_used_objects(rows)

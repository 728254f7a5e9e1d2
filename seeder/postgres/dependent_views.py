"""Finds the materialized views that a change of some tables affects."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.catalog import name_lists
from seeder.postgres.named_statements import STATEMENTS


@dataclass(frozen=True, kw_only=True, slots=True)
class AffectedViews:
    """What a change of some relations means for some materialized views, by the catalog."""

    dependent: frozenset[ViewName]
    undetermined: frozenset[ViewName]  # they call functions with text bodies, which may read anything
    missing_relations: tuple[ViewName, ...]  # changed relations that do not exist


def find_affected_views(database: str, relations: Collection[ViewName], views: Collection[ViewName]) -> AffectedViews:
    """Return which of the given materialized views read one of the changed relations, in one round trip.

    A materialized view that is not given ends the path, because nothing refreshes it.
    """
    statements = STATEMENTS["dependencies"], STATEMENTS["relations_and_relatives"]
    parameters = {**name_lists(views), **name_lists(relations, prefix="changed_"), "kinds": ["m"]}
    dependencies, changed_rows = sessions.query_batch(database, statements, parameters)
    changed = {ViewName(schema=schema, name=name): is_materialized for schema, name, is_materialized in changed_rows}
    dependents, opaque = defaultdict[ViewName, set[ViewName]](set), set[ViewName]()
    for schema, name, used_schema, used_name, function, is_opaque in dependencies:
        view = ViewName(schema=schema, name=name)
        if function is None:
            dependents[ViewName(schema=used_schema, name=used_name)].add(view)
        elif is_opaque:
            opaque.add(view)
    affected = {relation for relation in views if changed.get(relation)}
    unvisited = list(changed)
    while unvisited:
        found = dependents[unvisited.pop()] - affected
        affected |= found
        unvisited += found
    return AffectedViews(
        dependent=frozenset(affected),
        undetermined=frozenset(opaque - affected),
        missing_relations=tuple(relation for relation in relations if relation not in changed),
    )

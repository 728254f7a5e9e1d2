"""Finds the materialized views that a change of some tables affects."""

from collections.abc import Collection
from dataclasses import dataclass

from seeder.domain.view_names import ViewName
from seeder.postgres import sessions


@dataclass(frozen=True, kw_only=True, slots=True)
class AffectedViews:
    """What a change of some relations means for some materialized views, by the catalog."""

    dependent: frozenset[ViewName]
    undetermined: frozenset[ViewName]  # they call functions with text bodies, which may read anything
    missing_relations: tuple[ViewName, ...]  # changed relations that do not exist


def find_affected_views(database: str, relations: Collection[ViewName], views: Collection[ViewName]) -> AffectedViews:
    """Return which of the given materialized views read one of the changed relations, in one round trip."""
    parameters = {
        "schemas": [view.schema for view in views],
        "names": [view.name for view in views],
        "changed_schemas": [relation.schema for relation in relations],
        "changed_names": [relation.name for relation in relations],
    }
    statements = "dependent_views", "views_calling_opaque_functions", "missing_relations"
    dependent, opaque, missing = (
        [ViewName(schema=schema, name=name) for schema, name, *_ in rows]
        for rows in sessions.query_batch(database, statements, parameters)
    )
    return AffectedViews(
        dependent=frozenset(dependent),
        undetermined=frozenset(opaque).difference(dependent),
        missing_relations=tuple(missing),
    )

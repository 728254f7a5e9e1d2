"""Finds the materialized views that depend on changed relations, without reading any other view."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass

from seeder.domain.declared_dependencies import Declaration
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.catalog import name_lists
from seeder.postgres.named_statements import STATEMENTS

_Readers = Mapping[ViewName | None, Set[ViewName]]  # views by what they read; None is any opaque function


@dataclass(frozen=True, kw_only=True, slots=True)
class AffectedViews:
    """What a change of some relations affects."""

    reads: Mapping[ViewName, Set[ViewName]]  # by affected view: the changed relations and affected views that it reads
    undetermined: Set[ViewName]  # they call functions with text bodies, so their dependencies are unknown
    missing_relations: Sequence[ViewName]  # changed relations that do not exist


def find_affected_views(
    database: str, relations: Collection[ViewName], views: Mapping[ViewName, Declaration | None]
) -> AffectedViews:
    """Return which of the given materialized views read one of the changed relations.

    A materialized view that is not given ends the path, because nothing refreshes it. Each layer of views takes a round
    trip. A function with a text body may read anything, unless the view declares its dependencies.
    """
    changed, readers = _find_readers(database, relations, with_opaque=True)
    opaque = {view for view in readers[None] if view in views and not views[view]}
    declared = _declared_readers(views)
    reads = {view: set[ViewName]() for view, is_materialized in changed.items() if is_materialized and view in views}
    layer: Collection[ViewName] = changed
    while layer:
        following = set[ViewName]()
        for relation in layer:
            for view in (readers[relation] & views.keys()) | declared[relation]:
                if view not in reads:
                    following.add(view)
                reads.setdefault(view, set()).add(relation)
        layer = following
        _, readers = _find_readers(database, layer, with_opaque=False)
    return AffectedViews(
        reads=reads,
        undetermined=opaque - reads.keys(),
        missing_relations=[relation for relation in relations if relation not in changed],
    )


def _declared_readers(views: Mapping[ViewName, Declaration | None]) -> _Readers:
    readers = defaultdict[ViewName | None, set[ViewName]](set)
    for view, declaration in views.items():
        for used in declaration.views if declaration else ():
            readers[used].add(view)
    return readers


def _find_readers(
    database: str, relations: Collection[ViewName], *, with_opaque: bool
) -> tuple[Mapping[ViewName, bool], _Readers]:
    """Return the relations that exist with their relatives, and the materialized views that read these.

    The former with whether they are materialized views, the latter without those that only read another one of them.
    """
    existing, readers = dict[ViewName, bool](), defaultdict[ViewName | None, set[ViewName]](set)
    if not relations:
        return existing, readers
    parameters = {**name_lists(relations), "with_opaque": with_opaque}
    for schema, name, view_schema, view_name, is_materialized in sessions.query(
        database, STATEMENTS["readers"], parameters
    ):
        view = ViewName(schema=view_schema, name=view_name)
        relation = None if name is None else ViewName(schema=schema, name=name)
        if relation == view:
            existing[view] = is_materialized
        else:
            readers[relation].add(view)
    return existing, readers

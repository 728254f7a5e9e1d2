"""What a view reads, and what reads it, by the catalog and the declarations of queries."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from seeder.domain.manifests import ViewKey
from seeder.domain.view_names import ViewName
from seeder.postgres import affected_views, catalog, missing_views
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.manifest_selection import NamedView

_TABLE_KINDS = {"r", "p", "f"}


@dataclass(frozen=True, kw_only=True, slots=True)
class RelatedNames:
    """The names of relations around a view."""

    exists: bool  # as a materialized view
    is_populated: bool
    reads: Set[ViewName]  # materialized views that it reads directly
    needs: Set[ViewName]  # views of enabled manifests that it reads, also through others
    outside: Set[ViewName]  # other relations that these read, which no run refreshes
    tables: Sequence[str]
    calls_opaque_functions: bool  # and its queries declare nothing
    dependents: Set[ViewName]  # views of enabled manifests that read it directly
    further_dependents: Set[ViewName]  # through others
    reads_of: Mapping[ViewName, Set[ViewName]]  # materialized views that each view reads, on either side of the view
    tables_of: Mapping[ViewName, Set[ViewName]]  # tables that the view and the views that it reads use


def find_related(
    view: ViewKey, named: Mapping[ViewName, NamedView], read_query: Callable[[], str | None]
) -> RelatedNames:
    """Return the names. `named` has the views of enabled manifests in the database. `read_query` returns
    the query that the view is created from, and is called only if it is missing.

    Takes three statements, and two for each level of views on views. Raises `DatabaseError`.
    """
    with translate_database_errors(view.database):
        state = catalog.relation_state(view.database, view.name)
        reads, tables, is_opaque = dict[ViewName, Set[ViewName]](), dict[ViewName, Set[ViewName]](), False
        layer = {view.name}
        while layer:
            used = catalog.find_used_objects(view.database, layer)
            if state is None and view.name in layer and (query := read_query()) is not None:
                used[view.name] = list(missing_views.objects_of_missing_view(view.database, view.name, query))
            for reader, objects in used.items():
                declaration = named[reader].declaration if reader in named else None
                declared = declaration.views - {reader} if declaration else frozenset[ViewName]()
                materialized = {one.relation for one in objects if one.kind == "m" and one.relation is not None}
                reads[reader] = (materialized | declared) - {reader}
                tables[reader] = {
                    one.relation for one in objects if one.kind in _TABLE_KINDS and one.relation is not None
                }
                if reader == view.name:
                    is_opaque = declaration is None and any(one.is_opaque for one in objects)
            layer = {name for reader in layer for name in reads[reader] & named.keys()} - reads.keys()
        declarations = {name: one.declaration for name, one in named.items()}
        affected = affected_views.find_affected_views(view.database, [view.name], declarations)
    readers = affected.reads.keys() - {view.name}
    direct = {name for name in readers if view.name in affected.reads[name]}
    return RelatedNames(
        exists=state is not None and state[0] == "m",
        is_populated=state == ("m", True),
        reads=reads[view.name],
        needs=reads.keys() & named.keys() - {view.name},
        outside=set[ViewName]().union(*reads.values()) - named.keys(),
        tables=sorted(map(str, tables[view.name])),
        calls_opaque_functions=is_opaque,
        dependents=direct,
        further_dependents=readers - direct,
        reads_of={**affected.reads, **reads},
        tables_of=tables,
    )

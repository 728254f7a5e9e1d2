"""Completes a selection with the views that become visible together with selected ones."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from django.db import DEFAULT_DB_ALIAS

from seeder.conf import Settings
from seeder.domain.consistent_groups import ConsistentGroup, close_groups, form_groups
from seeder.domain.manifests import Selection, ViewKey
from seeder.domain.view_names import ViewName
from seeder.postgres import group_queries
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import manifest_names, manifest_selection
from seeder.services.manifest_names import ListedView


def complete_groups(selection: Selection, settings: Settings) -> tuple[Selection, Sequence[ConsistentGroup]]:
    """Return the selection with all members of the groups of its views, and these groups.

    Reads nothing unless `CONSISTENT_GROUPS` has groups. The queries of manifests are read only of members to add.
    """
    if not settings.consistent_groups or not selection.views:
        return selection, ()
    # Not those of the selection: a request for one agency has only some manifests of a view.
    listed = manifest_names.find_listed_views(
        names=frozenset().union(*(one.views for one in settings.consistent_groups)),
        agencies=frozenset().union(*(one.agencies for one in settings.consistent_groups)),
        databases=settings.databases,
    )
    groups = form_groups({key: view.agencies for key, view in listed.items()}, settings.consistent_groups)
    reads = _read_dependencies(groups, listed)
    selected = {spec.key for spec in selection.views}
    possible = {key.name for key in reads.keys() - listed.keys() - selected}
    between = manifest_names.find_listed_views(possible, databases=settings.databases) if possible else {}
    closed = close_groups(groups, reads, listed={*listed, *between, *selected})
    touched = [group for group in closed if group.members & selected]
    added = frozenset().union(*(group.members for group in touched)) - selected
    specs = manifest_selection.select_views(added, databases=settings.databases)
    return replace(selection, views=(*selection.views, *specs)), touched


def _read_dependencies(
    groups: Sequence[ConsistentGroup], listed: Mapping[ViewKey, ListedView]
) -> Mapping[ViewKey, Set[ViewKey]]:
    """Return what the members read and so on. Members in other databases are refused, so these are not read."""
    members = {key for group in groups for key in group.members if key.database == DEFAULT_DB_ALIAS}
    with translate_database_errors(DEFAULT_DB_ALIAS):
        upstream = group_queries.upstream_views(DEFAULT_DB_ALIAS, [key.name for key in members])
    reads = {_key(view): {_key(one) for one in read} for view, read in upstream.items()}
    for key in members:
        if declaration := listed[key].declaration:
            reads[key] |= {_key(name) for name in declaration.views} - {key}
    return reads


def _key(name: ViewName) -> ViewKey:
    return ViewKey(database=DEFAULT_DB_ALIAS, name=name)

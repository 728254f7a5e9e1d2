"""Completes a selection with the views that become visible together with selected ones."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from django.db import DEFAULT_DB_ALIAS

from seeder.conf import Settings
from seeder.domain.consistent_groups import ConsistentGroup, close_groups, form_groups
from seeder.domain.manifests import Selection, ViewKey, ViewSpec
from seeder.domain.refresh_requests import AllReports
from seeder.domain.view_names import ViewName
from seeder.postgres import group_queries
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import manifest_selection


def complete_groups(selection: Selection, settings: Settings) -> tuple[Selection, Sequence[ConsistentGroup]]:
    """Return the selection with all members of the groups of its views, and these groups.

    Reads nothing unless `CONSISTENT_GROUPS` has groups.
    """
    if not settings.consistent_groups or not selection.views:
        return selection, ()
    listed = manifest_selection.select(AllReports(), databases=settings.databases).views
    specs = {spec.key: spec for spec in listed} | {spec.key: spec for spec in selection.views}
    groups = form_groups(specs.values(), settings.consistent_groups)
    selected = {spec.key for spec in selection.views}
    closed = close_groups(groups, _read_dependencies(groups, specs), listed=specs.keys())
    touched = [group for group in closed if group.members & selected]
    added = frozenset().union(*(group.members for group in touched)) - selected
    views = (*selection.views, *(spec for key, spec in specs.items() if key in added))
    return replace(selection, views=views), touched


def _read_dependencies(
    groups: Sequence[ConsistentGroup], specs: Mapping[ViewKey, ViewSpec]
) -> Mapping[ViewKey, Set[ViewKey]]:
    """Return what the members read and so on. Members in other databases are refused, so these are not read."""
    members = {key for group in groups for key in group.members if key.database == DEFAULT_DB_ALIAS}
    with translate_database_errors(DEFAULT_DB_ALIAS):
        upstream = group_queries.upstream_views(DEFAULT_DB_ALIAS, [key.name for key in members])
    reads = {_key(view): {_key(one) for one in read} for view, read in upstream.items()}
    for key in members:
        if declaration := specs[key].declaration:
            reads[key] |= {_key(name) for name in declaration.views} - {key}
    return reads


def _key(name: ViewName) -> ViewKey:
    return ViewKey(database=DEFAULT_DB_ALIAS, name=name)

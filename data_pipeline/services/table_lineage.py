"""Follows rows in both directions: from a table to its loads and views, and from a view to its loads."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.domain.lineage import Lineage
from data_pipeline.domain.load_overview import LoadSummary
from data_pipeline.models import LoadLog
from data_pipeline.postgres import statistics
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.lineage import find_lineage
from data_pipeline.services.load_listing import summaries
from data_pipeline.services.load_scope import LoadScope, require_visible_table
from seeder.domain.as_of import RelationAsOf
from seeder.domain.view_names import ViewName, normalize_name
from seeder.errors import UnknownTable
from seeder.postgres import transactions
from seeder.services.read_models import view_as_of

_MAX_LOADS = 20
_VIEW_KINDS = {"m", "v"}


@dataclass(frozen=True, kw_only=True, slots=True)
class TableLineage:
    """The latest loads of a table, and its dependent views."""

    loads: Sequence[LoadSummary]  # latest first
    views: Lineage


def read_table_lineage(table: str, scope: LoadScope, *, shows_values: bool) -> TableLineage:
    """Return what a table was loaded from, and what depends on it.

    Raises `UnknownTable` if it neither exists nor has loads, or if the user may not see it.
    """
    require_visible_table(table, scope)
    with translate_errors(DEFAULT_DB_ALIAS):
        latest = LoadLog.objects.filter(target=normalize_name(table)).order_by("-created_at", "-pk")
        loads = summaries(list(latest[:_MAX_LOADS]), shows_values=shows_values)
        views = find_lineage(table, visible=scope.views)
        if views is None or not (loads or _exists(table)):
            raise UnknownTable(table=table, suggestion="")
    return TableLineage(loads=loads, views=views)


def read_view_as_of(view: str, scope: LoadScope) -> tuple[str, RelationAsOf]:
    """Return the name of a view, and which loads its rows contain.

    Raises `UnknownTable` if there is no such view that the user may see.
    """
    name = ViewName.parse_or_none(view)
    if name is None or not (scope.views is None or str(name) in scope.views):
        raise UnknownTable(table=view, suggestion="")
    with translate_errors(DEFAULT_DB_ALIAS), transactions.read_only_snapshot():
        relation = statistics.find_relation(DEFAULT_DB_ALIAS, str(name))
        if relation is None or relation.kind not in _VIEW_KINDS:
            raise UnknownTable(table=view, suggestion="")
        as_of = view_as_of.relation_as_of(DEFAULT_DB_ALIAS, name, kind=relation.kind, oid=relation.oid)
    return str(name), as_of


def _exists(table: str) -> bool:
    return statistics.find_relation(DEFAULT_DB_ALIAS, normalize_name(table)) is not None

"""The tables and loads that a user may see.

A scoped user sees the tables that feed the views of their agencies, the loads of these tables, and the loads that they
requested themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, QuerySet

from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.errors import UnknownLoad
from data_pipeline.models import LoadLog, LoadRequest
from data_pipeline.postgres import load_scope
from data_pipeline.postgres.error_translation import translate_errors
from seeder.domain.view_names import ViewName, normalize_name
from seeder.errors import UnknownTable
from seeder.services.read_models import agency_scope


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadScope:
    """What a user may see."""

    user: str  # as in `load_request.requested_by`
    views: frozenset[str] | None  # that manifests of their agencies name; None for all
    tables: frozenset[str] | None  # that feed these views; None for all

    def has_table(self, table: str) -> bool:
        """Return whether the user may see a table, however it is spelled."""
        return self.tables is None or normalize_name(table) in self.tables


def scope_of(user: Any) -> LoadScope:
    """Return what a user may see. Raises `ConfigurationError` or `DatabaseError`."""
    agencies, name = agency_scope.agencies_of(user), user.get_username()
    if agencies is None:
        return LoadScope(user=name, views=None, tables=None)
    views = frozenset(agency_scope.tables_of(agencies))
    names = {name for name in map(ViewName.parse_or_none, views) if name is not None}
    names |= agency_scope.declared_dependencies_of(agencies)
    with translate_errors(DEFAULT_DB_ALIAS):
        tables = load_scope.tables_behind_views(DEFAULT_DB_ALIAS, names)
    return LoadScope(user=name, views=views, tables=tables)


def require_visible_table(table: str, scope: LoadScope) -> None:
    """Raise `UnknownTable` if the user may not see a table."""
    if not scope.has_table(table):
        raise UnknownTable(table=table, suggestion="")


def find_visible_load(load_id: int, scope: LoadScope) -> LoadLog:
    """Return a load. Raises `UnknownLoad` if there is none that the user may see."""
    loads = LoadLog.objects.filter(pk=load_id)
    if scope.tables is not None:
        loads = loads.filter(Q(target__in=scope.tables) | Q(pk__in=loads_requested_by(scope.user).filter(load=load_id)))
    with translate_errors(DEFAULT_DB_ALIAS):
        load = loads.first()
    if load is None:
        raise UnknownLoad(load_id=load_id)
    return load


def visible_parts(loads: QuerySet[LoadLog], scope: LoadScope) -> Sequence[QuerySet[LoadLog]]:
    """Return the visible loads in parts, which can overlap. Each has an index for its condition."""
    if scope.tables is None:
        return [loads]
    return [loads.filter(target__in=scope.tables), loads.filter(pk__in=loads_requested_by(scope.user))]


def loads_requested_by(user: str) -> QuerySet[LoadRequest, Any]:
    """Return the ids of the loads that a user requested. An undo or a verification requests none."""
    actions = (RequestAction.UNDO, RequestAction.VERIFY)
    requests = LoadRequest.objects.filter(requested_by=user, load__isnull=False).exclude(action__in=actions)
    return requests.values_list("load", flat=True)

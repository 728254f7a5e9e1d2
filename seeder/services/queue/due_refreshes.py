"""Requests of the schedules that refresh by freshness: views that are due, and views without contracts."""

from collections.abc import Collection, Iterable, Mapping, Set

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.freshness.data_age import NEVER_RECORDED
from seeder.domain.freshness.due_views import ViewWithContracts, find_due_views
from seeder.domain.freshness.states import ViewFacts
from seeder.domain.manifests import ViewKey, ViewSpec
from seeder.domain.plan import topological_order
from seeder.domain.refresh_requests import DUE_VIEWS, VIEWS_WITHOUT_CONTRACT, AllReports, SelectedManifests
from seeder.models import QueuedRefresh
from seeder.postgres import catalog, freshness_queries, sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import freshness_contracts, manifest_selection, view_states
from seeder.services.freshness_contracts import Contracts
from seeder.services.queue import part_rows

INTERVAL_MINUTES = 1  # between two looks


@translate_database_errors(DEFAULT_DB_ALIAS)
def due_views() -> SelectedManifests:
    """Return a request for the views that have to start now. It can be empty.

    Takes about ten queries, and one for each level of views on views. Raises `ConfigurationError` or `DatabaseError`.
    """
    settings, tables = conf.load(), OptionalTables.read(DEFAULT_DB_ALIAS)
    contracts = freshness_contracts.load_contracts(tables)
    specs = _specs() if contracts else {}
    reads = _dependencies({key for key, spec in specs.items() if _has_contracts(contracts, spec)}, specs)
    if not reads:
        return _request((), DUE_VIEWS)
    names = {key: specs[key].manifests[0].table_name for key in reads}
    has_metrics = tables.is_usable("seeder_run_metrics")
    facts = freshness_queries.view_facts(list(names.values()), has_metrics=has_metrics)
    ages = view_states.data_ages(reads, tables)
    queued = _queued_views(tables)
    views = {
        key: ViewWithContracts(
            reads=read,
            contracts=contracts.of_view(key.name, _agencies(specs[key])),
            data_as_of=ages.get(key, NEVER_RECORDED).as_of,
            facts=facts.get(names[key], ViewFacts()),
            is_queued=key in queued,
        )
        for key, read in reads.items()
    }
    now = sessions.server_time(DEFAULT_DB_ALIAS)
    due = find_due_views(views, now=now, workers=settings.max_workers)
    return _request((specs[key] for key in due), DUE_VIEWS)


@translate_database_errors(DEFAULT_DB_ALIAS)
def views_without_contracts() -> SelectedManifests:
    """Return a request for the enabled reports of all views without a freshness contract. It can be empty.

    Raises `ConfigurationError` or `DatabaseError`.
    """
    contracts = freshness_contracts.load_contracts(OptionalTables.read(DEFAULT_DB_ALIAS))
    others = (spec for spec in _specs().values() if not _has_contracts(contracts, spec))
    return _request(others, VIEWS_WITHOUT_CONTRACT)


def _request(specs: Iterable[ViewSpec], description: str) -> SelectedManifests:
    manifests = frozenset(manifest.key for spec in specs for manifest in spec.manifests)
    return SelectedManifests(manifests=manifests, description=description)


def _specs() -> Mapping[ViewKey, ViewSpec]:
    selection = manifest_selection.select(AllReports(), databases=conf.load().databases)
    return {spec.key: spec for spec in selection.views}


def _agencies(spec: ViewSpec) -> Set[str]:
    return {manifest.agency_slug for manifest in spec.manifests}


def _has_contracts(contracts: Contracts, spec: ViewSpec) -> bool:
    return bool(contracts.of_view(spec.key.name, _agencies(spec)))


def _dependencies(views: Set[ViewKey], specs: Mapping[ViewKey, ViewSpec]) -> Mapping[ViewKey, Set[ViewKey]]:
    """Return what each of these views, and each view behind them, reads. In dependency order."""
    reads: dict[ViewKey, Set[ViewKey]] = {}
    unknown = set(views)
    while unknown:
        found = _direct_dependencies(unknown, specs)
        reads |= found
        unknown = set[ViewKey]().union(*found.values()) - reads.keys()
    return topological_order(reads)


def _direct_dependencies(
    views: Collection[ViewKey], specs: Mapping[ViewKey, ViewSpec]
) -> Mapping[ViewKey, Set[ViewKey]]:
    found: dict[ViewKey, Set[ViewKey]] = {}
    for database in {key.database for key in views}:
        names = {key.name for key in views if key.database == database}
        with translate_database_errors(database):
            used_objects = catalog.find_used_objects(database, names)
        for name in names:
            key = ViewKey(database=database, name=name)
            declaration = specs[key].declaration
            used = {one.relation for one in used_objects[name] if one.relation is not None}
            used |= declaration.views if declaration else frozenset()
            found[key] = {ViewKey(database=database, name=one) for one in used} & specs.keys() - {key}
    return found


def _queued_views(tables: OptionalTables) -> Set[ViewKey]:
    if not tables.is_usable(part_rows.TABLE):
        return frozenset()
    return {key for part in QueuedRefresh.objects.unfinished() for key in part.view_keys}

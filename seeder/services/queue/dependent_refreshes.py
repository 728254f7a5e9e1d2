"""Queues or runs a refresh of the views that depend on changed tables: what a loader calls after its commit."""

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.manifests import Selection, ViewKey, ViewSpec
from seeder.domain.refresh_requests import DEPENDENT_VIEWS, SelectedManifests
from seeder.domain.view_names import ViewName
from seeder.postgres.affected_views import find_affected_views
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import manifest_selection
from seeder.services.queue import dispatch, part_rows
from seeder.services.queue.enqueue import EnqueueResult, enqueue_refresh
from seeder.services.stop_signal import StopSignal

# A burst of 50 loads takes some seconds. The worker that waits for its end refreshes nothing else meanwhile.
_MIN_INTERVAL = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class DependentViews:
    """The views that depend on some tables of a database."""

    relations: Collection[ViewName]
    specs: tuple[ViewSpec, ...]  # of enabled manifests, ordered by name
    reads: Mapping[ViewName, Set[ViewName]]  # by view: the changed relations and the dependent views that it reads
    undetermined: tuple[ViewKey, ...]  # they call functions with text bodies, so their dependencies are unknown
    missing_relations: tuple[ViewName, ...]  # tables that do not exist

    @property
    def views(self) -> tuple[ViewKey, ...]:
        return tuple(spec.key for spec in self.specs)

    @property
    def request(self) -> SelectedManifests:
        """The request to refresh the views, for all manifests that name them."""
        return SelectedManifests(
            manifests=frozenset(one.key for spec in self.specs for one in spec.manifests),
            description=DEPENDENT_VIEWS.with_arguments(relations=", ".join(map(str, sorted(self.relations)))),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class DependentRefreshes:
    """What a change of some tables has queued."""

    queued: EnqueueResult
    views: tuple[ViewKey, ...]  # the dependent views of enabled manifests
    undetermined: tuple[ViewKey, ...]  # they call functions with text bodies, so their dependencies are unknown
    missing_relations: tuple[ViewName, ...]  # changed tables that do not exist


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshedViews:
    """What a change of some tables has refreshed."""

    views: tuple[ViewKey, ...]  # the dependent views of enabled manifests
    undetermined: tuple[ViewKey, ...]  # they call functions with text bodies, so their dependencies are unknown
    failures: Mapping[ViewKey, str] = field(default_factory=dict)  # messages of the views that failed
    interrupted: tuple[ViewKey, ...] = ()  # not refreshed, because the run was stopped


def is_queue_available() -> bool:
    """Return whether a refresh can be queued. Otherwise the caller runs it."""
    return dispatch.is_available() and part_rows.is_available()


def databases_of_views() -> list[str]:
    """Return the aliases of the databases that manifests can name, the default one first.

    Raises `ConfigurationError`.
    """
    return [DEFAULT_DB_ALIAS, *sorted({*conf.load().databases.values()} - {DEFAULT_DB_ALIAS})]


def find_dependent_views(relations: Collection[ViewName], *, database: str = DEFAULT_DB_ALIAS) -> DependentViews:
    """Return the views of enabled manifests that depend on some tables, and no other view.

    Dependencies are those of the catalog (plain and materialized views, partitions and their parents, BEGIN ATOMIC
    functions, operators, row security policies) and those that queries declare. Views that may depend on the tables
    through a function with a text body are in `undetermined`, unless they declare their dependencies.

    Raises `ConfigurationError` or `DatabaseError`.
    """
    databases = conf.load().databases
    named = manifest_selection.named_views(database, databases=databases)
    with translate_database_errors(database):
        affected = find_affected_views(database, relations, {name: view.declaration for name, view in named.items()})
    spellings = {spelling for name in affected.reads for spelling in named[name].spellings}
    selection = manifest_selection.select_named(spellings, databases=databases)
    specs = {spec.key: spec for spec in selection.views if spec.key.database == database}
    return DependentViews(
        relations=relations,
        specs=tuple(specs[key] for key in sorted(specs)),
        reads=affected.reads,
        undetermined=tuple(ViewKey(database=database, name=name) for name in sorted(affected.undetermined)),
        missing_relations=tuple(affected.missing_relations),
    )


def enqueue_dependent_refreshes(
    relations: Collection[ViewName],
    *,
    requested_by: str,
    database: str = DEFAULT_DB_ALIAS,
    idempotency_key: str | None = None,
) -> DependentRefreshes:
    """Queue a refresh of the views that `find_dependent_views` returns.

    A view is not started again within some seconds, so that a burst of changes refreshes it few times. The refresh is
    one request: a repeated idempotency key returns the first answer, and an earlier request that covers
    the views and has not started is joined. Must not be called inside a transaction.

    Raises `ConfigurationError`, `QueueError` or `DatabaseError`.
    """
    found = find_dependent_views(relations, database=database)
    queued = enqueue_refresh(
        found.request,
        requested_by=requested_by,
        idempotency_key=idempotency_key,
        min_interval=_MIN_INTERVAL,
        selection=Selection(views=found.specs),
    )
    return DependentRefreshes(
        queued=queued,
        views=found.views,
        undetermined=found.undetermined,
        missing_relations=found.missing_relations,
    )


def refresh_dependent_views(
    relations: Collection[ViewName],
    *,
    requested_by: str,
    database: str = DEFAULT_DB_ALIAS,
    stop: StopSignal | None = None,
) -> RefreshedViews:
    """Refresh the views that `find_dependent_views` returns, in this process: for hosts without a queue.

    When `stop` is set, the run cancels its refreshes and ends. Must not be called inside a transaction.

    Raises `ConfigurationError` or `DatabaseError`.
    """
    from seeder.services.run.orchestrator import execute_run  # a host with a queue does not need it here

    found = find_dependent_views(relations, database=database)
    if not found.views:
        return RefreshedViews(views=(), undetermined=found.undetermined)
    summary = execute_run(found.request, requested_by=requested_by, stop=stop)
    return RefreshedViews(
        views=found.views,
        undetermined=found.undetermined,
        failures={view.key: result.failure.message for view, result in summary.results.items() if result.failure},
        interrupted=tuple(view.key for view in summary.interrupted),
    )

"""Queues a refresh of the views that depend on changed tables: what a loader calls after its commit."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.manifests import ViewKey
from seeder.domain.refresh_requests import AllReports, SelectedManifests
from seeder.domain.view_names import ViewName
from seeder.postgres.catalog import find_affected_views
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import manifest_selection
from seeder.services.queue.enqueue import EnqueueResult, enqueue_refresh


@dataclass(frozen=True, kw_only=True, slots=True)
class DependentRefreshes:
    """What a change of some tables has queued."""

    queued: EnqueueResult
    views: tuple[ViewKey, ...]  # the dependent views of enabled manifests
    undetermined: tuple[ViewKey, ...]  # they call functions with text bodies, so their dependencies are unknown
    missing_relations: tuple[ViewName, ...]  # changed tables that do not exist


def enqueue_dependent_refreshes(
    relations: Collection[ViewName],
    *,
    requested_by: str,
    database: str = DEFAULT_DB_ALIAS,
    idempotency_key: str | None = None,
) -> DependentRefreshes:
    """Queue a refresh of the views that depend on the changed tables, and of no other view.

    Dependencies are those of the catalog (plain and materialized views, partitions and their parents, BEGIN ATOMIC
    functions, operators, row security policies) and those that queries declare. Views that may depend on the tables
    through a function with a text body are reported in `undetermined` and are not refreshed, unless they declare their
    dependencies.

    The refresh is one request: a repeated idempotency key returns the first answer, and an earlier request that covers
    the views and has not started is joined. Must not be called inside a transaction.

    Raises `ConfigurationError`, `QueueError` or `DatabaseError`.
    """
    selection = manifest_selection.select(AllReports(), databases=conf.load().databases)
    specs = {spec.key.name: spec for spec in selection.views if spec.key.database == database}
    with translate_database_errors(database):
        declarations = {name: spec.declaration for name, spec in specs.items()}
        affected, undetermined, missing_relations = find_affected_views(database, relations, declarations)
    dependent = [specs[name] for name in sorted(affected)]
    request = SelectedManifests(
        manifests=frozenset(one.key for spec in dependent for one in spec.manifests),
        description=f"the views that depend on {', '.join(map(str, sorted(relations)))}",
    )
    return DependentRefreshes(
        queued=enqueue_refresh(request, requested_by=requested_by, idempotency_key=idempotency_key),
        views=tuple(spec.key for spec in dependent),
        undetermined=tuple(specs[name].key for name in sorted(undetermined)),
        missing_relations=tuple(missing_relations),
    )

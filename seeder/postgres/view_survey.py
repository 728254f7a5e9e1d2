"""Survey of views before a plan: their existence, dependencies and drift."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from hashlib import md5

from seeder.domain.plan import ViewInputs
from seeder.domain.view_names import ViewName
from seeder.postgres import input_locks, sessions, transactions
from seeder.postgres.catalog import UsedObject, find_used_objects, name_lists
from seeder.postgres.creation_refusals import CreationRefused
from seeder.postgres.definition_comparison import Comparison, Pair, Undetermined
from seeder.postgres.missing_views import MissingViews
from seeder.postgres.named_statements import STATEMENTS

_SURVEYED_KINDS = ("m", "v")  # missing views are created as plain ones
_MAX_LOCK_WAIT = timedelta(seconds=3)  # for the creation of a missing view


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class DefinitionKey:
    """A view, and a query that matches its definition while the names that it uses mean the same."""

    oid: int
    query_md5: str  # with the hash of `definition_sources`

    @classmethod
    def of(cls, oid: int, query: str, sources: str) -> "DefinitionKey":
        text = f"{sources} {query}".encode(errors="surrogatepass")
        return cls(oid=oid, query_md5=md5(text, usedforsecurity=False).hexdigest())


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparedQueries:
    """Queries of views that exist, compared with their definitions."""

    existing: Set[ViewName]
    drift: Mapping[Pair, str | None]  # queries that differ from the definition, with PostgreSQL's error
    undetermined: Mapping[Pair, Undetermined]  # queries that could not be compared
    confirmed: Set[DefinitionKey]  # queries newly found to match the definition


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """Facts of the catalog about some views."""

    row_counts: Mapping[ViewName, int]  # of existing relations of any kind; 0 if unknown
    dependencies: Mapping[ViewName, Set[ViewName]]  # among the surveyed views
    outside: Mapping[ViewName, Set[ViewName]]  # other materialized views that they read
    inputs: Mapping[ViewName, ViewInputs]  # of existing views whose inputs cannot change
    functions: Mapping[ViewName, Set[int]]  # OIDs of functions with text bodies, of views that can be created
    drift: Mapping[Pair, str | None]  # queries that differ from the definition, with PostgreSQL's error
    confirmed: Set[DefinitionKey]  # queries newly found to match the definition
    refused: Mapping[ViewName, CreationRefused]  # missing views that cannot be created
    undetermined: Mapping[Pair, Undetermined]  # queries of existing views that could not be compared
    unknown_dependencies: Mapping[ViewName, str]  # missing views whose dependencies are unknown, with the cause


def survey(
    database: str,
    views: Mapping[ViewName, Sequence[str]],
    *,
    load_known: Callable[[Collection[int]], Set[DefinitionKey]] = lambda _: frozenset(),
    is_diagnosis: bool = False,
    on_progress: Callable[[int, int], object] = lambda *_: None,
) -> Survey:
    """Survey views, each with its queries. A missing view is created from the first.

    Dependencies of missing views are found by creating them as plain views of the same name in a transaction that is
    rolled back. A query that PostgreSQL rejects has no dependencies here; its refresh reports the error. Queries of
    existing views are compared in the same way, unless `load_known` returns them for the OIDs of the views;
    `on_progress` gets the compared number and the total. A diagnosis hardly waits for locks.
    """
    with transactions.rolled_back_atomic(database):
        existing = _find_relations(database, views)
        missing = MissingViews(
            database,
            {view: queries for view, queries in views.items() if view not in existing},
            max_lock_wait=timedelta() if is_diagnosis else _MAX_LOCK_WAIT,
        )
        used_objects = find_used_objects(database, existing, kinds=_SURVEYED_KINDS)
        drift: dict[Pair, str | None] = {}
        for created in missing.portions():
            used_objects |= find_used_objects(database, created, kinds=_SURVEYED_KINDS)
            further = [(view, query) for view in created for query in views[view][1:]]
            comparison = Comparison(database=database, pairs=further)
            comparison.run()
            drift |= comparison.drift
        refused = missing.explain_errors()
        compared = _compare_existing(database, views, existing, load_known, on_progress)
    return Survey(
        row_counts={view: rows for view, (_, rows) in existing.items()},
        dependencies=_find_dependencies(used_objects, views.keys(), missing.assumed_dependencies),
        outside={
            view: {used for one in objects if one.kind == "m" and (used := one.relation) and used not in views}
            for view, objects in used_objects.items()
        },
        inputs={
            view: input_locks.inputs_of(objects)
            for view, objects in used_objects.items()
            if view in existing and not input_locks.can_change(objects)
        },
        functions={
            view: {one.function_oid for one in objects if one.function_oid is not None and one.is_opaque}
            for view, objects in used_objects.items()
        },
        drift={**drift, **compared.drift},
        confirmed=compared.confirmed,
        refused=refused,
        undetermined=compared.undetermined,
        unknown_dependencies=missing.unknown_dependencies(refused),
    )


def compare_with_views(
    database: str,
    views: Mapping[ViewName, Sequence[str]],
    *,
    load_known: Callable[[Collection[int]], Set[DefinitionKey]] = lambda _: frozenset(),
) -> ComparedQueries:
    """Compare the queries of each existing view with its definition, as `survey` does.

    Takes a few round trips for up to 50 queries, and hardly waits for locks.
    """
    with transactions.rolled_back_atomic(database):
        return _compare_existing(database, views, _find_relations(database, views), load_known)


def _compare_existing(
    database: str,
    views: Mapping[ViewName, Sequence[str]],
    existing: Mapping[ViewName, tuple[int, int]],
    load_known: Callable[[Collection[int]], Set[DefinitionKey]],
    on_progress: Callable[[int, int], object] = lambda *_: None,
) -> ComparedQueries:
    # Read before the comparison, so that a change in between makes the next survey compare again.
    sources = dict(sessions.query(database, STATEMENTS["definition_sources"], name_lists(existing)))
    pairs = {
        (view, query): DefinitionKey.of(oid, query, sources.get(oid, ""))
        for view, (oid, _) in existing.items()
        for query in views[view]
    }
    known = load_known([oid for oid, _ in existing.values()])
    unknown = [pair for pair, definition in pairs.items() if definition not in known]
    compared = Comparison(database=database, pairs=unknown, on_progress=on_progress)
    compared.run_with_helper()
    return ComparedQueries(
        existing=existing.keys(),
        drift=compared.drift,
        undetermined=compared.undetermined,
        confirmed={pairs[pair] for pair in unknown if pair not in compared.drift and pair not in compared.undetermined},
    )


def _find_dependencies(
    used_objects: Mapping[ViewName, Sequence[UsedObject]],
    views: Set[ViewName],
    assumed: Mapping[ViewName, Set[ViewName]],
) -> dict[ViewName, Set[ViewName]]:
    """Return the views that each view uses, or is assumed to use."""
    used = {
        view: {used for one in objects if (used := one.relation) and used in views}
        for view, objects in used_objects.items()
    }
    return {view: names for view, names in (*used.items(), *assumed.items()) if names}


def _find_relations(database: str, views: Iterable[ViewName]) -> dict[ViewName, tuple[int, int]]:
    """Set the lock timeout, and return OID and number of rows of each view that exists."""
    _, found = sessions.query_batch(
        database, (transactions.SHORT_LOCK_TIMEOUT, STATEMENTS["find_relations"]), name_lists(views)
    )
    return {ViewName(schema=schema, name=name): (oid, rows) for schema, name, oid, rows in found}

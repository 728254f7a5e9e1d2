"""Survey of views before a plan: their existence, dependencies and drift."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from hashlib import md5

from django.db import Error

from seeder.domain.plan import ViewInputs
from seeder.domain.view_names import ViewName
from seeder.postgres import input_locks, sessions, transactions, view_statements
from seeder.postgres.catalog import UsedObject, find_used_objects, name_lists
from seeder.postgres.creation_refusals import CreationRefused
from seeder.postgres.missing_views import MissingViews, lock_table_capacity
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sqlstates import (
    INSUFFICIENT_PRIVILEGE,
    first_line,
    is_connection_lost,
    is_query_error,
    is_transient,
    sqlstate,
)
from seeder.texts import Text

_SURVEYED_KINDS = ("m", "v")  # missing views are created as plain ones
_COMPARISON_BATCH_SIZE = 50  # queries compared at once, at most
_LOCKS_PER_COMPARISON = 32  # a batch takes a small part of the lock table, even if each query reads many tables
_MAX_LOCK_WAIT = timedelta(seconds=3)  # for the creation of a missing view
_MAX_LOCKED_VIEWS = 50  # after this number of lock timeouts, the rest is not compared


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
class Undetermined:
    """Why a query could not be compared with its view."""

    message: str
    is_locked: bool = False
    is_privilege_error: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparedQueries:
    """Queries of views that exist, compared with their definitions."""

    existing: Set[ViewName]
    drift: Mapping[tuple[ViewName, str], str | None]  # queries that differ from the definition, with PostgreSQL's error
    undetermined: Mapping[tuple[ViewName, str], Undetermined]  # queries that could not be compared
    confirmed: Set[DefinitionKey]  # queries newly found to match the definition


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """Facts of the catalog about some views."""

    row_counts: Mapping[ViewName, int]  # of existing relations of any kind; 0 if unknown
    dependencies: Mapping[ViewName, Set[ViewName]]  # among the surveyed views
    outside: Mapping[ViewName, Set[ViewName]]  # other materialized views that they read
    inputs: Mapping[ViewName, ViewInputs]  # of existing views whose inputs cannot change
    functions: Mapping[ViewName, Set[int]]  # OIDs of functions with text bodies, of views that can be created
    drift: Mapping[tuple[ViewName, str], str | None]  # queries that differ from the definition, with PostgreSQL's error
    confirmed: Set[DefinitionKey]  # queries newly found to match the definition
    refused: Mapping[ViewName, CreationRefused]  # missing views that cannot be created
    undetermined: Mapping[tuple[ViewName, str], Undetermined]  # queries of existing views that could not be compared
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
        drift: dict[tuple[ViewName, str], str | None] = {}
        for created in missing.portions():
            used_objects |= find_used_objects(database, created, kinds=_SURVEYED_KINDS)
            further = [(view, query) for view in created for query in views[view][1:]]
            drift |= _find_drift(database, further)[0]
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
    drift, undetermined = _find_drift(database, unknown, on_progress)
    return ComparedQueries(
        existing=existing.keys(),
        drift=drift,
        undetermined=undetermined,
        confirmed={pairs[pair] for pair in unknown if pair not in drift and pair not in undetermined},
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


def _find_drift(
    database: str,
    pairs: Sequence[tuple[ViewName, str]],
    on_progress: Callable[[int, int], object] = lambda *_: None,
) -> tuple[dict[tuple[ViewName, str], str | None], dict[tuple[ViewName, str], Undetermined]]:
    """Return the pairs that differ, and those that could not be compared, with PostgreSQL's message.

    The message of a differing pair is set if PostgreSQL rejects its query.
    """
    if not pairs:
        return {}, {}
    batch_size = min(_COMPARISON_BATCH_SIZE, max(1, lock_table_capacity(database) // _LOCKS_PER_COMPARISON))
    drift: dict[tuple[ViewName, str], str | None] = {}
    undetermined: dict[tuple[ViewName, str], Undetermined] = {}
    locked_count, refuses_any_view = 0, None
    for start in range(0, len(pairs), batch_size):
        if locked_count >= _MAX_LOCKED_VIEWS:
            message = Text("{number} others were locked, so this one was not tried", number=locked_count)
            undetermined |= dict.fromkeys(pairs[start:], Undetermined(message=message, is_locked=True))
            break
        for pair, answer in _compare_definitions(database, pairs[start : start + batch_size]):
            if isinstance(answer, Error) and is_query_error(answer) and refuses_any_view is None:
                refuses_any_view = _refuses_any_view(database)
            if isinstance(answer, Error) and is_query_error(answer) and not refuses_any_view:
                drift[pair] = first_line(answer)
            elif isinstance(answer, Error):
                undetermined[pair] = Undetermined(
                    message=first_line(answer),
                    is_locked=is_transient(answer),
                    is_privilege_error=sqlstate(answer) == INSUFFICIENT_PRIVILEGE,
                )
                locked_count += is_transient(answer)
            elif answer is None:
                undetermined[pair] = Undetermined(message=Text("it is not a view"))
            elif answer:
                drift[pair] = None
        on_progress(min(start + batch_size, len(pairs)), len(pairs))
    return drift, undetermined


def _refuses_any_view(database: str) -> bool:
    """Return whether PostgreSQL refuses the simplest temporary view, as by an event trigger."""
    with transactions.rolled_back_atomic(database):
        statement = view_statements.create_comparison_view(0, "SELECT")
        return bool(transactions.attempt(database, lambda: sessions.execute_single_statement(database, statement)))


def _compare_definitions(
    database: str, pairs: Sequence[tuple[ViewName, str]], column_names: Sequence[str] = ()
) -> list[tuple[tuple[ViewName, str], bool | Error | None]]:
    """Return for each pair whether it differs, None if it is not a view, or the error.

    All are tried in one batch. If one fails, the batch is split in halves. A pair that may differ in column names only
    is compared again with those of the view.
    """
    differs: dict[int, bool | Error | None] = {}
    try:
        with transactions.rolled_back_atomic(database):
            views = [
                view_statements.create_comparison_view(number, query, column_names)
                for number, (_, query) in enumerate(pairs)
            ]
            sessions.execute_pipeline(database, views)
            parameters = name_lists(view for view, _ in pairs)
            rows = sessions.query(database, STATEMENTS["compare_definitions"], parameters)
        for number, is_different, names in rows:
            differs[number] = is_different
            if is_different and names:
                [(_, differs[number])] = _compare_definitions(database, [pairs[number]], names)
    except Error as error:
        if is_connection_lost(error):
            raise
        if len(pairs) == 1:
            return [(pairs[0], error)]
        middle = len(pairs) // 2
        return _compare_definitions(database, pairs[:middle]) + _compare_definitions(database, pairs[middle:])
    return [(pair, differs.get(number)) for number, pair in enumerate(pairs)]


def _find_relations(database: str, views: Iterable[ViewName]) -> dict[ViewName, tuple[int, int]]:
    """Set the lock timeout, and return OID and number of rows of each view that exists."""
    _, found = sessions.query_batch(
        database, (transactions.SHORT_LOCK_TIMEOUT, STATEMENTS["find_relations"]), name_lists(views)
    )
    return {ViewName(schema=schema, name=name): (oid, rows) for schema, name, oid, rows in found}

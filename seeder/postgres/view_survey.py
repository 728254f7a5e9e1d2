"""Survey of views before a plan: their existence, dependencies and drift."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from hashlib import md5

from django.db import Error
from django.db.transaction import atomic

from seeder.domain.plan import ViewInputs
from seeder.domain.view_names import ViewName
from seeder.postgres import creation_refusals, input_locks, sessions, transactions, view_statements
from seeder.postgres.catalog import name_lists
from seeder.postgres.creation_refusals import CreationRefused
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sqlstates import (
    INSUFFICIENT_PRIVILEGE,
    UNDEFINED_TABLE,
    first_line,
    is_connection_lost,
    is_query_error,
    is_transient,
    sqlstate,
)

# Only CREATE MATERIALIZED VIEW allows this clause, so such a query cannot be tried as a plain view.
_WITH_DATA_CLAUSE = re.compile(r"\bWITH\s+(NO\s+)?DATA[\s;]*\Z", re.IGNORECASE)

_COMPARISON_BATCH_SIZE = 50  # queries compared at once
_MAX_LOCKED_VIEWS = 50  # after this number of lock timeouts, the rest is not compared


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class DefinitionKey:
    """A view and a query that matches its definition."""

    oid: int
    query_md5: str

    @classmethod
    def of(cls, oid: int, query: str) -> "DefinitionKey":
        return cls(oid=oid, query_md5=md5(query.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest())


@dataclass(frozen=True, kw_only=True, slots=True)
class Undetermined:
    """Why a query could not be compared with its view."""

    message: str
    is_locked: bool = False
    is_privilege_error: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """Facts of the catalog about some views."""

    row_counts: Mapping[ViewName, int]  # of existing relations of any kind; 0 if unknown
    dependencies: Mapping[ViewName, Set[ViewName]]  # among the surveyed views
    inputs: Mapping[ViewName, ViewInputs]  # of views that can be created, and of those whose inputs cannot change
    functions: Mapping[ViewName, Set[int]]  # OIDs of functions with text bodies, of views that can be created
    drift: Mapping[tuple[ViewName, str], str | None]  # queries that differ from the definition, with PostgreSQL's error
    confirmed: Set[DefinitionKey]  # queries newly found to match the definition
    refused: Mapping[ViewName, CreationRefused]  # of a diagnosis: missing views that cannot be created
    undetermined: Mapping[tuple[ViewName, str], Undetermined]  # queries that could not be compared


# How long a survey waits for each lock. The interactive wait is longer than deadlock_timeout (1 s by default), when
# PostgreSQL cancels a blocking autovacuum.
INTERACTIVE_LOCK_WAIT, MINIMAL_LOCK_WAIT = "SET LOCAL lock_timeout = '3s';", "SET LOCAL lock_timeout = '50ms';"


def survey(
    database: str,
    views: Mapping[ViewName, Sequence[str]],
    *,
    known_definitions: Set[DefinitionKey] = frozenset(),
    is_diagnosis: bool = False,
    on_progress: Callable[[int, int], object] = lambda *_: None,
) -> Survey:
    """Survey views, each with its queries. A missing view is created from the first.

    Dependencies of missing views are found by creating them as plain views of the same name in a transaction that is
    rolled back. This repeats while a round makes progress, so the order of the views does not matter. A query that
    PostgreSQL rejects has no dependencies here; its refresh reports the error. Definitions are compared in the same
    way; `on_progress` gets the compared number and the total. A diagnosis hardly waits for locks, and finds the causes
    of errors.
    """
    lock_wait = MINIMAL_LOCK_WAIT if is_diagnosis else INTERACTIVE_LOCK_WAIT
    with transactions.rolled_back_atomic(database):
        existing = _find_relations(database, views, lock_wait)
        missing = {view: queries[0] for view, queries in views.items() if view not in existing}
        unresolved, errors = _create_as_plain_views(database, missing)
        without_proof = unresolved.keys() | {view for view in errors if _WITH_DATA_CLAUSE.search(missing[view])}
        refused = creation_refusals.explain(database, missing, errors, without_proof) if is_diagnosis else {}
        relations = _find_relations(database, views, lock_wait) if len(existing) < len(views) else existing
        names = {oid: view for view, (oid, _) in relations.items()}
        dependencies: dict[ViewName, set[ViewName]] = defaultdict(set, unresolved)
        used_objects: dict[ViewName, list[sessions.Row]] = {view: [] for view in relations}
        rows = sessions.query(database, STATEMENTS["dependencies"], {**name_lists(views), "kinds": ["m", "v"]})
        for schema, name, *used_object in rows:
            view, used = ViewName(schema=schema, name=name), ViewName(schema=used_object[0], name=used_object[1])
            used_objects[view].append(tuple(used_object))
            if used in views:
                dependencies[view].add(used)
        pairs = {
            (view, query): DefinitionKey.of(oid, query)
            for oid, view in names.items()
            # A view that was just created from its first query needs no comparison with it.
            for query in (views[view] if view in existing else views[view][1:])
            if not _WITH_DATA_CLAUSE.search(query)
        }
        unknown = [pair for pair, definition in pairs.items() if definition not in known_definitions]
        drift, undetermined = _find_drift(database, unknown, on_progress) if unknown else ({}, {})
        confirmed = [pair for pair in unknown if pair[0] in existing and pair not in drift and pair not in undetermined]
    return Survey(
        row_counts={view: rows for view, (_, rows) in existing.items()},
        dependencies=dependencies,
        inputs={
            view: input_locks.inputs_of(objects)
            for view, objects in used_objects.items()
            if view not in existing or not input_locks.can_change(objects)
        },
        functions={
            view: {function for *_, function, is_opaque in objects if is_opaque}
            for view, objects in used_objects.items()
        },
        drift=drift,
        confirmed={pairs[pair] for pair in confirmed},
        refused=refused,
        undetermined=undetermined,
    )


def _create_as_plain_views(
    database: str, missing: Mapping[ViewName, str]
) -> tuple[dict[ViewName, set[ViewName]], dict[ViewName, Error]]:
    """Create the missing views as plain views. Return assumed dependencies, and the error of each other view.

    Another session may be creating one of them, which locks it. A view whose query then lacks a relation is assumed to
    depend on the locked ones.
    """
    remaining, locked, errors = dict(missing), set[ViewName](), dict[ViewName, Error]()
    progress = True
    while remaining and progress:
        progress = False
        for view, query in tuple(remaining.items()):
            try:
                with atomic(using=database):
                    sessions.execute_single_statement(database, view_statements.create_plain_view(view, query))
            except Error as error:
                if is_connection_lost(error):
                    raise
                errors[view] = error
                if is_transient(error):
                    locked.add(view)
                    del remaining[view]
            else:
                progress = True
                errors.pop(view, None)
                del remaining[view]
    waiting_for_locked = {view for view, error in errors.items() if locked and sqlstate(error) == UNDEFINED_TABLE}
    return {view: set(locked) for view in waiting_for_locked}, errors


def _find_drift(
    database: str, pairs: Sequence[tuple[ViewName, str]], on_progress: Callable[[int, int], object]
) -> tuple[dict[tuple[ViewName, str], str | None], dict[tuple[ViewName, str], Undetermined]]:
    """Return the pairs that differ, and those that could not be compared, with PostgreSQL's message.

    The message of a differing pair is set if PostgreSQL rejects its query.
    """
    sessions.query(database, MINIMAL_LOCK_WAIT)
    drift: dict[tuple[ViewName, str], str | None] = {}
    undetermined: dict[tuple[ViewName, str], Undetermined] = {}
    locked_count, refuses_any_view = 0, None
    for start in range(0, len(pairs), _COMPARISON_BATCH_SIZE):
        if locked_count >= _MAX_LOCKED_VIEWS:
            message = f"{locked_count} others were locked, so this one was not tried"
            undetermined |= dict.fromkeys(pairs[start:], Undetermined(message=message, is_locked=True))
            break
        for pair, answer in _compare_definitions(database, pairs[start : start + _COMPARISON_BATCH_SIZE]):
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
                undetermined[pair] = Undetermined(message="it is not a view")
            elif answer:
                drift[pair] = None
        on_progress(min(start + _COMPARISON_BATCH_SIZE, len(pairs)), len(pairs))
    return drift, undetermined


def _refuses_any_view(database: str) -> bool:
    """Return whether PostgreSQL refuses the simplest temporary view, as by an event trigger."""
    with transactions.rolled_back_atomic(database):
        statement = view_statements.create_comparison_view(0, "SELECT")
        return bool(transactions.attempt(database, lambda: sessions.execute_single_statement(database, statement)))


def _compare_definitions(
    database: str, pairs: Sequence[tuple[ViewName, str]]
) -> list[tuple[tuple[ViewName, str], bool | Error | None]]:
    """Return for each pair whether it differs, None if it is not a view, or the error.

    All are tried in one batch. If one fails, the batch is split in halves.
    """
    try:
        with transactions.rolled_back_atomic(database):
            views = [view_statements.create_comparison_view(number, query) for number, (_, query) in enumerate(pairs)]
            sessions.execute_pipeline(database, views)
            parameters = name_lists(view for view, _ in pairs)
            differs: dict[int, bool] = dict(sessions.query(database, STATEMENTS["compare_definitions"], parameters))
    except Error as error:
        if is_connection_lost(error):
            raise
        if len(pairs) == 1:
            return [(pairs[0], error)]
        middle = len(pairs) // 2
        return _compare_definitions(database, pairs[:middle]) + _compare_definitions(database, pairs[middle:])
    return [(pair, differs.get(number)) for number, pair in enumerate(pairs)]


def _find_relations(database: str, views: Iterable[ViewName], lock_wait: str) -> dict[ViewName, tuple[int, int]]:
    """Set the lock wait, and return OID and number of rows of each view that exists."""
    _, found = sessions.query_batch(database, (lock_wait, STATEMENTS["find_relations"]), name_lists(views))
    return {ViewName(schema=schema, name=name): (oid, rows) for schema, name, oid, rows in found}

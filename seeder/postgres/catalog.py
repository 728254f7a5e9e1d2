"""Questions to the catalog: which relations exist, and which of them read which."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from hashlib import md5

from django.db import Error

from seeder.domain.view_names import ViewName
from seeder.postgres import identifiers, sessions, transactions
from seeder.postgres.sqlstates import (
    INSUFFICIENT_PRIVILEGE,
    UNDEFINED_TABLE,
    first_line,
    is_connection_lost,
    is_query_error,
    is_transient,
    sqlstate,
)

# An end that only CREATE MATERIALIZED VIEW takes, so that such a query cannot be tried out as a plain view.
_WITH_DATA_CLAUSE = re.compile(r"\bWITH\s+(NO\s+)?DATA[\s;]*\Z", re.IGNORECASE)


_TRIAL_BATCH_SIZE = 50  # how many queries are compared at once
_MAX_LOCKED_TRIALS = 50  # that wait for a lock in vain, a tenth of a second each: then the rest is not tried


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class DefinitionKey:
    """A query that gives the definition that a view has."""

    oid: int
    query_md5: str

    @classmethod
    def of(cls, oid: int, query: str) -> "DefinitionKey":
        return cls(oid=oid, query_md5=md5(query.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest())


@dataclass(frozen=True, kw_only=True, slots=True)
class CreationRefused:
    """Why PostgreSQL would not make a view, in its words."""

    message: str
    is_privilege_error: bool  # for want of a privilege; else because of the query


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """What the catalog says of some views."""

    row_counts: Mapping[ViewName, int]  # of those that exist, as whatever kind of relation: rows; 0 where nobody knows
    dependencies: Mapping[ViewName, Set[ViewName]]  # which of the surveyed views each of them reads
    drift: Mapping[tuple[ViewName, str], str | None]  # the queries that are not what their view was created from
    confirmed: Set[DefinitionKey]  # those that are, and were not known to be
    refused: Mapping[
        ViewName, CreationRefused
    ]  # the missing ones that could not be made, as far as that is no passing thing
    undetermined: Mapping[tuple[ViewName, str], str]  # why nobody could find out about a query, in PostgreSQL's words


# With the schema and the name of a view: a row where a relation has that name.
RELATION_EXISTS = "relation_exists"


def relation_exists(database: str, view: ViewName) -> bool:
    """Whether any relation has that name."""
    return bool(sessions.query_view(database, RELATION_EXISTS, view))


def is_populated(database: str, view: ViewName) -> bool:
    """Whether an existing view can be read."""
    [(populated,)] = sessions.query_view(database, "is_populated", view)
    return bool(populated)


def cannot_refresh_concurrently(database: str, view: ViewName) -> bool:
    """Whether a materialized view lacks what REFRESH … CONCURRENTLY needs of itself: to have been filled, and a unique
    index that covers every row by plain columns."""
    return bool(sessions.query_view(database, "cannot_refresh_concurrently", view))


def column_names(database: str, views: Iterable[ViewName]) -> Set[str]:
    """The names of all columns that any of the views has."""
    relations = list(views)
    parameters = {"schemas": [view.schema for view in relations], "names": [view.name for view in relations]}
    return {name for (name,) in sessions.query(database, "column_names", parameters)}


def measure_view(database: str, view: ViewName) -> tuple[int, int]:
    """The rows that this transaction wrote into an existing view, and the view's size on disk in bytes."""
    [(rows, size)] = sessions.query_view(database, "measure_view", view)
    return rows, size


# How long to wait for each lock: for as long as a person does, or not for what may as well stay unknown.
INTERACTIVE_LOCK_WAIT, MINIMAL_LOCK_WAIT = "set_interactive_lock_wait", "set_minimal_lock_wait"


def survey(
    database: str,
    views: Mapping[ViewName, Sequence[str]],
    *,
    known_definitions: Set[DefinitionKey] = frozenset(),
    lock_wait: str = INTERACTIVE_LOCK_WAIT,
    on_progress: Callable[[int, int], object] = lambda *_: None,
) -> Survey:
    """Look at `views`, each with its queries: the first is what it is created from, should it not exist yet.

    What a missing view would read the server says: in a transaction that is rolled back, each missing view is made as
    a plain view of the same name, in rounds for as long as a round makes progress, so that one may read another
    whatever their order. A query that cannot be made a view has no dependencies here; its refresh will say what is
    wrong. What a view was created from is compared in the same way; `tell` hears how many of how many were.
    """
    with transactions.rolled_back_transaction(database):
        existing = _find_relations(database, views, first=(lock_wait,))
        unresolved, refused = _create_as_trial_views(
            database, {view: views[view][0] for view in views if view not in existing}
        )
        relations = _find_relations(database, views) if len(existing) < len(views) else existing
        names = {oid: view for view, (oid, _) in relations.items()}
        dependencies: dict[ViewName, set[ViewName]] = defaultdict(set, unresolved)
        for dependent_oid, dependency_oid in sessions.query(database, "dependencies", {"oids": list(names)}):
            dependencies[names[dependent_oid]].add(names[dependency_oid])
        pairs = {
            (view, query): DefinitionKey.of(oid, query)
            for oid, view in names.items()
            # What was just made from its first query is not compared with that.
            for query in (views[view] if view in existing else views[view][1:])
            if not _WITH_DATA_CLAUSE.search(query)
        }
        unknown = [pair for pair, definition in pairs.items() if definition not in known_definitions]
        drift, undetermined = _find_drift(database, unknown, on_progress) if unknown else ({}, {})
        confirmed = [pair for pair in unknown if pair[0] in existing and pair not in drift and pair not in undetermined]
    return Survey(
        row_counts={view: rows for view, (_, rows) in existing.items()},
        dependencies=dependencies,
        drift=drift,
        confirmed={pairs[pair] for pair in confirmed},
        refused=refused,
        undetermined=undetermined,
    )


def _create_as_trial_views(
    database: str, missing: Mapping[ViewName, str]
) -> tuple[dict[ViewName, set[ViewName]], dict[ViewName, CreationRefused]]:
    """Make the missing views as far as they can be made, and say why not of the others. Somebody else may be creating
    one of them right now, so that it cannot be made here; what then lacks a relation may read it, and is taken to."""
    remaining, locked, errors = dict(missing), set[ViewName](), dict[ViewName, Error]()
    progress = True
    while remaining and progress:
        progress = False
        for view, query in tuple(remaining.items()):
            try:
                with transactions.nested_atomic(database):
                    sessions.execute_single_statement(database, identifiers.create_plain_view(view, query))
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
    refused = {
        view: CreationRefused(message=first_line(error), is_privilege_error=not is_query_error(error))
        for view, error in errors.items()
        if (is_query_error(error) and view not in waiting_for_locked and not _WITH_DATA_CLAUSE.search(missing[view]))
        or sqlstate(error) == INSUFFICIENT_PRIVILEGE
    }
    return {view: set(locked) for view in waiting_for_locked}, refused


def _find_drift(
    database: str, pairs: Sequence[tuple[ViewName, str]], on_progress: Callable[[int, int], object]
) -> tuple[dict[tuple[ViewName, str], str | None], dict[tuple[ViewName, str], str]]:
    """The pairs that do not belong together, each with PostgreSQL's words where it would not make a view of the query
    today; and those of which it cannot be found out, because of a lock or a missing privilege, with its words too."""
    sessions.query(database, "set_minimal_lock_wait")
    drift: dict[tuple[ViewName, str], str | None] = {}
    undetermined: dict[tuple[ViewName, str], str] = {}
    locked_count = 0
    for start in range(0, len(pairs), _TRIAL_BATCH_SIZE):
        if locked_count >= _MAX_LOCKED_TRIALS:
            undetermined |= dict.fromkeys(
                pairs[start:], f"{locked_count} others were locked, so this one was not tried"
            )
            break
        for pair, answer in _compare_with_trials(database, pairs[start : start + _TRIAL_BATCH_SIZE]):
            if isinstance(answer, Error) and is_query_error(answer):
                drift[pair] = first_line(answer)
            elif isinstance(answer, Error):
                undetermined[pair] = first_line(answer)
                locked_count += is_transient(answer)
            elif answer is None:
                undetermined[pair] = "it is no view"
            elif answer:
                drift[pair] = None
        on_progress(min(start + _TRIAL_BATCH_SIZE, len(pairs)), len(pairs))
    return drift, undetermined


def _compare_with_trials(
    database: str, pairs: Sequence[tuple[ViewName, str]]
) -> list[tuple[tuple[ViewName, str], bool | Error | None]]:
    """Of each pair whether its view was created from something else: None where it is no view, the error where that
    cannot be found out. They are tried together, and in halves where one of them is in the way of the others."""
    try:
        with transactions.rolled_back_savepoint(database):
            trials = [identifiers.create_trial_view(number, query) for number, (_, query) in enumerate(pairs)]
            sessions.execute_pipeline(database, trials)
            parameters = {"schemas": [view.schema for view, _ in pairs], "names": [view.name for view, _ in pairs]}
            differs: dict[int, bool] = dict(sessions.query(database, "compare_with_trials", parameters))
    except Error as error:
        if is_connection_lost(error):
            raise
        if len(pairs) == 1:
            return [(pairs[0], error)]
        middle = len(pairs) // 2
        return _compare_with_trials(database, pairs[:middle]) + _compare_with_trials(database, pairs[middle:])
    return [(pair, differs.get(number)) for number, pair in enumerate(pairs)]


def _find_relations(
    database: str, views: Iterable[ViewName], *, first: Sequence[str] = ()
) -> dict[ViewName, tuple[int, int]]:
    """Return OID and number of rows of each view that exists. The statements of `first` are sent before."""
    relations = list(views)
    parameters = {"schemas": [view.schema for view in relations], "names": [view.name for view in relations]}
    *_, rows_found = sessions.query_batch(database, (*first, "find_relations"), parameters)
    return {ViewName(schema=schema, name=name): (oid, rows) for schema, name, oid, rows in rows_found}

"""Questions to the catalog: which relations exist, and which of them read which."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from hashlib import md5

from django.db import Error

from seeder.domain.names import ViewName
from seeder.postgres import identifiers, sessions, transactions
from seeder.postgres.sqlstates import (
    INSUFFICIENT_PRIVILEGE,
    UNDEFINED_TABLE,
    first_line,
    is_gone,
    is_transient,
    is_wrong_query,
    sqlstate,
)

# An end that only CREATE MATERIALIZED VIEW takes, so that such a query cannot be tried out as a plain view.
_SAYS_WHETHER_FILLED = re.compile(r"\bWITH\s+(NO\s+)?DATA[\s;]*\Z", re.IGNORECASE)


_TRIALS = 50  # how many queries are compared at once
_ENOUGH = 50  # that wait for a lock in vain, a tenth of a second each: then the rest is not tried


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Definition:
    """A query that gives the definition that a view has."""

    oid: int
    query_md5: str

    @classmethod
    def of(cls, oid: int, query: str) -> "Definition":
        return cls(oid=oid, query_md5=md5(query.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest())


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """Why PostgreSQL would not make a view, in its words."""

    why: str
    forbidden: bool  # for want of a privilege; else because of the query


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """What the catalog says of some views."""

    sizes: Mapping[ViewName, int]  # of those that exist, as whatever kind of relation: rows; 0 where nobody knows
    reads: Mapping[ViewName, Set[ViewName]]  # which of the surveyed views each of them reads
    drift: Mapping[tuple[ViewName, str], str | None]  # the queries that are not what their view was created from
    confirmed: Set[Definition]  # those that are, and were not known to be
    refused: Mapping[ViewName, Refused]  # the missing ones that could not be made, as far as that is no passing thing
    unclear: Mapping[tuple[ViewName, str], str]  # why nobody could find out about a query, in PostgreSQL's words


# With the schema and the name of a view: a row where a relation has that name.
EXISTS = "exists"


def exists(database: str, view: ViewName) -> bool:
    """Whether any relation has that name."""
    return bool(sessions.query_about(database, EXISTS, view))


def is_populated(database: str, view: ViewName) -> bool:
    """Whether an existing view can be read."""
    [(populated,)] = sessions.query_about(database, "populated", view)
    return bool(populated)


def rules_out_concurrent(database: str, view: ViewName) -> bool:
    """Whether a materialized view lacks what REFRESH … CONCURRENTLY needs of itself: to have been filled, and a unique
    index that covers every row by plain columns."""
    return bool(sessions.query_about(database, "rules_out_concurrent", view))


def columns(database: str, views: Iterable[ViewName]) -> Set[str]:
    """The names of all columns that any of the views has."""
    wanted = list(views)
    names = {"schemas": [view.schema for view in wanted], "names": [view.name for view in wanted]}
    return {name for (name,) in sessions.query(database, "columns_of_any", names)}


def measure(database: str, view: ViewName) -> tuple[int, int]:
    """The rows that this transaction wrote into an existing view, and the view's size on disk in bytes."""
    [(rows, size)] = sessions.query_about(database, "measure", view)
    return rows, size


# How long to wait for each lock: for as long as a person does, or not for what may as well stay unknown.
HURRY, PATIENCE = "hurry", "patience"


def survey(
    database: str,
    views: Mapping[ViewName, Sequence[str]],
    *,
    known: Set[Definition] = frozenset(),
    locks: str = HURRY,
    tell: Callable[[int, int], object] = lambda *_: None,
) -> Survey:
    """Look at `views`, each with its queries: the first is what it is created from, should it not exist yet.

    What a missing view would read the server says: in a transaction that is rolled back, each missing view is made as
    a plain view of the same name, in rounds for as long as a round makes progress, so that one may read another
    whatever their order. A query that cannot be made a view has no dependencies here; its refresh will say what is
    wrong. What a view was created from is compared in the same way; `tell` hears how many of how many were.
    """
    with transactions.undone(database):
        sessions.query(database, locks)
        existing = _find(database, views)
        unclear, refused = _try_out(database, {view: views[view][0] for view in views if view not in existing})
        names = {oid: view for view, (oid, _) in _find(database, views).items()}
        reads: dict[ViewName, set[ViewName]] = defaultdict(set, unclear)
        for reader, read in sessions.query(database, "reads", {"oids": list(names)}):
            reads[names[reader]].add(names[read])
        pairs = {
            (view, query): Definition.of(oid, query)
            for oid, view in names.items()
            # What was just made from its first query is not compared with that.
            for query in (views[view] if view in existing else views[view][1:])
            if not _SAYS_WHETHER_FILLED.search(query)
        }
        unknown = [pair for pair, definition in pairs.items() if definition not in known]
        drift, unclear_pairs = _drift(database, unknown, tell)
        settled = [pair for pair in unknown if pair[0] in existing and pair not in drift and pair not in unclear_pairs]
    return Survey(
        sizes={view: rows for view, (_, rows) in existing.items()},
        reads=reads,
        drift=drift,
        confirmed={pairs[pair] for pair in settled},
        refused=refused,
        unclear=unclear_pairs,
    )


def _try_out(
    database: str, missing: Mapping[ViewName, str]
) -> tuple[dict[ViewName, set[ViewName]], dict[ViewName, Refused]]:
    """Make the missing views as far as they can be made, and say why not of the others. Somebody else may be creating
    one of them right now, so that it cannot be made here; what then lacks a relation may read it, and is taken to."""
    left, busy, errors = dict(missing), set[ViewName](), dict[ViewName, Error]()
    progress = True
    while left and progress:
        progress = False
        for view, query in tuple(left.items()):
            try:
                with transactions.part(database):
                    sessions.execute_one(database, identifiers.create_plain_view(view, query))
            except Error as error:
                if is_gone(error):
                    raise
                errors[view] = error
                if is_transient(error):
                    busy.add(view)
                    del left[view]
            else:
                progress = True
                errors.pop(view, None)
                del left[view]
    lacking = {view for view, error in errors.items() if busy and sqlstate(error) == UNDEFINED_TABLE}
    refused = {
        view: Refused(why=first_line(error), forbidden=not is_wrong_query(error))
        for view, error in errors.items()
        if (is_wrong_query(error) and view not in lacking and not _SAYS_WHETHER_FILLED.search(missing[view]))
        or sqlstate(error) == INSUFFICIENT_PRIVILEGE
    }
    return {view: set(busy) for view in lacking}, refused


def _drift(
    database: str, pairs: Sequence[tuple[ViewName, str]], tell: Callable[[int, int], object]
) -> tuple[dict[tuple[ViewName, str], str | None], dict[tuple[ViewName, str], str]]:
    """The pairs that do not belong together, each with PostgreSQL's words where it would not make a view of the query
    today; and those of which it cannot be found out, because of a lock or a missing privilege, with its words too."""
    sessions.query(database, "patience")
    drift: dict[tuple[ViewName, str], str | None] = {}
    unclear: dict[tuple[ViewName, str], str] = {}
    in_vain = 0
    for start in range(0, len(pairs), _TRIALS):
        if in_vain >= _ENOUGH:
            unclear |= dict.fromkeys(pairs[start:], f"{in_vain} others were locked, so this one was not tried")
            break
        for pair, answer in _comparisons(database, pairs[start : start + _TRIALS]):
            if isinstance(answer, Error) and is_wrong_query(answer):
                drift[pair] = first_line(answer)
            elif isinstance(answer, Error):
                unclear[pair] = first_line(answer)
                in_vain += is_transient(answer)
            elif answer is None:
                unclear[pair] = "it is no view"
            elif answer:
                drift[pair] = None
        tell(min(start + _TRIALS, len(pairs)), len(pairs))
    return drift, unclear


def _comparisons(
    database: str, pairs: Sequence[tuple[ViewName, str]]
) -> list[tuple[tuple[ViewName, str], bool | Error | None]]:
    """Of each pair whether its view was created from something else: None where it is no view, the error where that
    cannot be found out. They are tried together, and in halves where one of them is in the way of the others."""
    try:
        with transactions.part_undone(database):
            trials = [identifiers.create_trial_view(number, query) for number, (_, query) in enumerate(pairs)]
            sessions.execute_each(database, trials)
            wanted = {"schemas": [view.schema for view, _ in pairs], "names": [view.name for view, _ in pairs]}
            differs: dict[int, bool] = dict(sessions.query(database, "differ_from_trials", wanted))
    except Error as error:
        if is_gone(error):
            raise
        if len(pairs) == 1:
            return [(pairs[0], error)]
        middle = len(pairs) // 2
        return _comparisons(database, pairs[:middle]) + _comparisons(database, pairs[middle:])
    return [(pair, differs.get(number)) for number, pair in enumerate(pairs)]


def _find(database: str, views: Iterable[ViewName]) -> dict[ViewName, tuple[int, int]]:
    """Of those that exist the OID and the number of rows."""
    wanted = list(views)
    found = sessions.query(
        database,
        "relations",
        {"schemas": [view.schema for view in wanted], "names": [view.name for view in wanted]},
    )
    return {ViewName(schema=schema, name=name): (oid, rows) for schema, name, oid, rows in found}

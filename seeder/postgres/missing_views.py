"""Missing views, created as plain views in transactions that are rolled back.

A created view is locked until its transaction ends, and all sessions share one lock table. So the views are created in
portions. A later portion gets stubs of the views of earlier portions that it reads: views with the same columns.

A transaction that waits for a table while it has locked others can deadlock with one that reloads both, and PostgreSQL
may end the other one. So a lock ends the portion, and is awaited by short attempts that hold nothing in between.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import timedelta
from functools import partial
from typing import cast

from django.db import Error
from psycopg import sql

from seeder.domain.view_names import ViewName
from seeder.postgres import creation_refusals, sessions, transactions, view_statements
from seeder.postgres.catalog import UsedObject, find_used_objects, name_lists
from seeder.postgres.creation_refusals import CreationRefused, RefusalCause
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sqlstates import (
    INSUFFICIENT_PRIVILEGE,
    LOCK_NOT_AVAILABLE,
    OUT_OF_MEMORY,
    UNDEFINED_TABLE,
    first_line,
    is_query_error,
    sqlstate,
)

_WORD = re.compile(r"[\w$]+")
_LOCK_TABLE_SHARE = 8  # a portion takes at most this part of the lock table


class MissingViews:
    """The missing views, each with its queries. A view is created from the first.

    `max_lock_wait` is how long the creation of a view may wait for locks, in addition to the `lock_timeout` of the
    transaction, which has to be shorter than `deadlock_timeout`.
    """

    def __init__(self, database: str, queries: Mapping[ViewName, Sequence[str]], max_lock_wait: timedelta) -> None:
        self._database, self._queries, self._max_lock_wait = database, queries, max_lock_wait
        self._named = _find_names({view: "\n".join(all_of_view) for view, all_of_view in queries.items()})
        self._remaining = _dependencies_first(self._named)
        self._max_locks = lock_table_capacity(database) // _LOCK_TABLE_SHARE if queries else 0
        self._stubs: dict[ViewName, str] = {}  # statements that create stubs of the views of earlier portions
        self._untried: set[ViewName] = set()  # for another reason than their query, such as a lock
        self._is_finished = False
        self.errors: dict[ViewName, Error] = {}  # of views that cannot be created, after the last portion
        self._was_divided = False

    def portions(self) -> Iterator[Sequence[ViewName]]:
        """Yield each portion of created views while they exist."""
        while self._remaining and not self._is_finished:
            with transactions.rolled_back_atomic(self._database):
                created = self._create_portion()
                yield created
                self._stubs |= {
                    ViewName(schema=schema, name=name): statement
                    for schema, name, statement in sessions.query(
                        self._database, STATEMENTS["stub_statements"], name_lists(created)
                    )
                }

    @property
    def assumed_dependencies(self) -> Mapping[ViewName, Set[ViewName]]:
        """The views that could not be tried, for each view that lacks a relation: it may be one of them.

        For example, another session is creating a view and has locked it.
        """
        waiting = [view for view, error in self.errors.items() if sqlstate(error) == UNDEFINED_TABLE]
        return {view: set(self._untried) for view in waiting} if self._untried else {}

    def explain_errors(self) -> Mapping[ViewName, CreationRefused]:
        """Return why PostgreSQL refuses to create views, after the last portion."""
        explained: dict[ViewName, CreationRefused] = {}
        for view in self.errors:
            related = {one: self.errors[one] for one in (view, *self._named[view]) if one in self.errors}
            queries = {one: self._queries[one][0] for one in related}
            with transactions.rolled_back_atomic(self._database):
                self._create_stubs(self._named[view] & self._stubs.keys())
                causes = creation_refusals.explain(self._database, queries, related, self.assumed_dependencies)
            explained |= {one: cause for one, cause in causes.items() if one == view}
        return explained

    def unknown_dependencies(self, refused: Mapping[ViewName, CreationRefused]) -> Mapping[ViewName, str]:
        """Return the causes for views that were not created for another reason than their query or a privilege.

        If the views were created in portions, no query is proof: it may read a view of another portion.
        """
        known = self.assumed_dependencies.keys() | {
            view
            for view, refusal in refused.items()
            if not self._was_divided and refusal.cause != RefusalCause.ANY_VIEW
        }
        return {view: first_line(error) for view, error in self.errors.items() if view not in known}

    def _create_portion(self) -> list[ViewName]:
        """Create views until the portion is full, a lock is in the way, or none of the remaining ones can be created.

        A view whose query fails is tried again after the others, because it may read one of them.
        """
        created: list[ViewName] = []
        stubs, progress = set[ViewName](), True
        while progress:
            progress = False
            for view in tuple(self._remaining):
                if created and self._is_full():
                    self._was_divided = True
                    return created
                max_wait = timedelta() if created else self._max_lock_wait
                error, _ = transactions.retry_while_locked(partial(self._create, view, stubs), max_wait)
                if created and error and self._may_succeed_alone(error):
                    self._was_divided = True
                    return created
                del self._remaining[view]
                if error is None:
                    progress = True
                    created.append(view)
                    self.errors.pop(view, None)
                else:
                    self._add_error(view, error)
        self._is_finished = True
        return created

    def _add_error(self, view: ViewName, error: Error) -> None:
        self.errors[view] = error
        if is_query_error(error) or sqlstate(error) == INSUFFICIENT_PRIVILEGE:
            self._remaining[view] = None
        else:
            self._untried.add(view)

    def _may_succeed_alone(self, error: Error) -> bool:
        is_locked = sqlstate(error) == LOCK_NOT_AVAILABLE
        return sqlstate(error) == OUT_OF_MEMORY or (is_locked and bool(self._max_lock_wait))

    def _create(self, view: ViewName, stubs: set[ViewName]) -> Error | None:
        """Create a view, after the stubs that its queries name and that do not exist in this portion."""
        needed = (self._named[view] & self._stubs.keys()) - stubs

        def create() -> None:
            self._create_stubs(needed)
            statement = view_statements.create_plain_view(view, self._queries[view][0])
            sessions.execute_single_statement(self._database, statement)

        error = transactions.attempt(self._database, create)
        if error is None:
            stubs |= needed
        return error

    def _create_stubs(self, views: Set[ViewName]) -> None:
        for view in sorted(views):
            sessions.query(self._database, sql.SQL(self._stubs[view]))

    def _is_full(self) -> bool:
        [(held,)] = sessions.query(self._database, STATEMENTS["held_locks"])
        return bool(held >= self._max_locks)


def lock_table_capacity(database: str) -> int:
    """Return about how many locks the server has space for."""
    [(capacity,)] = sessions.query(database, STATEMENTS["lock_table_capacity"])
    return cast("int", capacity)


def _find_names(queries: Mapping[ViewName, str]) -> Mapping[ViewName, Set[ViewName]]:
    """Return for each view the others whose name occurs in its query: at least those that it reads."""
    by_word, others = defaultdict[str, set[ViewName]](set), dict[ViewName, str]()
    for view in queries:
        name = view.name.lower()
        if _WORD.fullmatch(name):
            by_word[name].add(view)
        else:
            others[view] = name.replace('"', '""')
    named: dict[ViewName, Set[ViewName]] = {}
    for view, query in queries.items():
        text = query.lower()
        found = {one for word in set(_WORD.findall(text)) & by_word.keys() for one in by_word[word]}
        named[view] = (found | {one for one, name in others.items() if name in text}) - {view}
    return named


def _dependencies_first(named: Mapping[ViewName, Set[ViewName]]) -> dict[ViewName, None]:
    """Return all views, each after the views that its query names, unless names form a cycle.

    Otherwise in the order of names, so that two runs that create the same views do not deadlock.
    """
    ordered: dict[ViewName, None] = {}
    visited, unfinished = set[ViewName](), sorted(named, reverse=True)
    while unfinished:
        view = unfinished[-1]
        if view in visited:
            ordered[unfinished.pop()] = None
        visited.add(view)
        unfinished += sorted(named[view] - visited, reverse=True)
    return ordered


def objects_of_missing_view(database: str, view: ViewName, query: str) -> Sequence[UsedObject]:
    """Return the objects that a missing view would use. None if PostgreSQL refuses its query.

    The view is created as a plain one, and the transaction is rolled back.
    """

    def create_and_look_up() -> Sequence[UsedObject]:
        sessions.query(database, transactions.SHORT_LOCK_TIMEOUT)
        sessions.execute_single_statement(database, view_statements.create_plain_view(view, query))
        return find_used_objects(database, [view], kinds=("v",))[view]

    with transactions.rolled_back_atomic(database):
        found = transactions.attempt(database, create_and_look_up)
    return () if isinstance(found, Error) else found

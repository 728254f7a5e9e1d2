"""Locks on the tables that a view reads, taken before the snapshot of its refresh."""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from seeder.domain.plan import ViewInputs
from seeder.domain.view_names import ViewName
from seeder.postgres import catalog, sessions, transactions, view_statements
from seeder.postgres.catalog import UsedObject
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sqlstates import INSUFFICIENT_PRIVILEGE, is_query_error, sqlstate


class LockedInputs(NamedTuple):
    """How long the locks took, and which transactions a refresh that follows contains."""

    waited: timedelta = timedelta()
    snapshot: str | None = None  # a pg_snapshot; None if the view reads no table
    inputs: ViewInputs = ViewInputs()


def lock_inputs(
    database: str,
    view: ViewName,
    inputs: ViewInputs | None,
    *,
    query_of_missing: str | None = None,
    max_wait: timedelta = timedelta(),
) -> LockedInputs:
    """Lock the tables that a view reads until the end of the transaction.

    `inputs` is None if they have to be looked up. A view that does not exist reads what its query reads; finding that
    out waits for `max_wait`.

    Raises a database error with SQLSTATE 55P03 if another session keeps a table locked for the transaction's
    `lock_timeout`.
    """
    if query_of_missing is not None:
        inputs, waited = inputs_of_missing_view(database, view, query_of_missing, max_wait=max_wait)
        locked = lock_inputs(database, view, inputs)
        return locked._replace(waited=locked.waited + waited)
    inputs = inputs or look_up_inputs(database, view)
    if not inputs.tables:
        return LockedInputs(inputs=inputs)
    statements = [STATEMENTS[name] for name in ("choose_inputs", "lock_inputs", "inputs_locked")]
    parameters = {"inputs": list(inputs.tables), "input_views": list(inputs.views)}
    [(*_, started)], _, [(finished, snapshot)] = sessions.query_batch(database, statements, parameters)
    return LockedInputs(waited=finished - started, snapshot=snapshot, inputs=inputs)


def inputs_of_missing_view(
    database: str, view: ViewName, query: str, *, max_wait: timedelta
) -> tuple[ViewInputs, timedelta]:
    """Return what a view will read, and how long this waited for locks. In a `BatchedTransaction`.

    The view is created as a plain one for a moment.

    A query that PostgreSQL rejects, or a plain view that this role may not create, has no inputs here; the creation
    that follows reports the error.

    Raises other database errors, such as 55P03 if another session keeps a table locked for `max_wait`.
    """

    def create_and_look_up() -> ViewInputs:
        sessions.execute_single_statement(database, view_statements.create_plain_view(view, query))
        return inputs_of(catalog.find_used_objects(database, [view], kinds=("v",))[view])

    attempt = partial(transactions.attempt_and_roll_back, database, create_and_look_up)
    inputs, waited = transactions.retry_while_locked(attempt, max_wait)
    if isinstance(inputs, ViewInputs):
        return inputs, waited
    if is_query_error(inputs) or sqlstate(inputs) == INSUFFICIENT_PRIVILEGE:
        return ViewInputs(), waited
    raise inputs


def look_up_inputs(database: str, view: ViewName) -> ViewInputs:
    """Return what a view reads now. Nothing if it does not exist."""
    return inputs_of(catalog.find_used_objects(database, [view])[view])


def inputs_of(used_objects: Iterable[UsedObject]) -> ViewInputs:
    """Return the inputs among the objects that a view uses."""
    tables, views, materialized, is_opaque = set[int](), set[int](), set[int](), False
    for one in used_objects:
        views.add(one.view_oid)
        is_opaque = is_opaque or one.is_opaque
        if one.relation_oid is not None and one.kind in {"r", "p"}:
            tables.add(one.relation_oid)
        elif one.relation_oid is not None and one.kind == "v":
            views.add(one.relation_oid)
        elif one.relation_oid is not None and one.kind == "m":
            materialized.add(one.relation_oid)
    return ViewInputs(
        tables=tuple(sorted(tables)),
        views=tuple(sorted(views)),
        materialized=tuple(sorted(materialized)),
        calls_opaque_functions=is_opaque,
    )


def can_change(used_objects: Iterable[UsedObject]) -> bool:
    """Return whether the inputs can change without the view: behind a plain view, a function or a policy."""
    return any(one.can_change for one in used_objects)

"""Dispatches the refreshes that loads request.

They are of exactly the views that depend on the loaded tables. A load writes its request into the outbox
`load_refresh`, in the transaction of its rows. After the commit it is dispatched to seeder's queue. If the process is
killed in between, the next load or the next rescue dispatches it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, Error

from data_pipeline import conf
from data_pipeline.domain import refresh_dispatches
from data_pipeline.domain.refresh_dispatches import RefreshDispatch, RefreshOutcome, RequestedRefresh
from data_pipeline.postgres import refresh_outbox
from data_pipeline.services.load_databases import answers_with_loads
from data_pipeline.structured_log import INFO, WARNING, log_event
from seeder.domain.view_names import ViewName
from seeder.errors import SeederError
from seeder.services.stop_signal import StopSignal
from seeder.texts import Text

_LEFT_AFTER = timedelta(seconds=5)  # a load dispatches its own request within some milliseconds of the commit


@dataclass(frozen=True, kw_only=True, slots=True)
class Rescued:
    """The dispatches of a rescue."""

    dispatches: Sequence[RefreshDispatch]

    def __str__(self) -> str:
        """Return one line with the loads whose refreshes were queued.

        The text is empty without any.
        """
        queued = [one for one in self.dispatches if one.outcome is RefreshOutcome.QUEUED]
        names = "; ".join(refresh_dispatches.requested_by(one.load_ids) for one in queued)
        return f"queued the refreshes after {names}" if names else ""


def dispatch_refreshes(
    database: str = DEFAULT_DB_ALIAS, *, refresh_here: bool = False, stop: StopSignal | None = None
) -> Sequence[RefreshDispatch]:
    """Dispatch all refreshes that committed loads have requested. Must not be called inside a transaction.

    Loads of the same tables share one request. Without a queue, the views are refreshed in this process if
    `refresh_here` is set, until `stop` is set. A refresh that cannot be dispatched remains in the outbox, and its
    result has the problem. Nothing is raised for it.
    """
    return _dispatch_claimed(database, refresh_here=refresh_here, stop=stop)


def import_queue() -> None:
    """Import what `refresh_after` needs.

    No import then delays the request after the commit.
    """
    if disabled_reason() is None:
        from seeder.services.queue import dependent_refreshes  # noqa: F401


def refresh_after(load_id: int, database: str = DEFAULT_DB_ALIAS, *, refresh_here: bool = False) -> RefreshDispatch:
    """Dispatch the requested refreshes of a committed load.

    Also those that killed loads have left.

    Nothing is raised if that fails, because the rows are loaded.
    """
    if (reason := disabled_reason()) is not None:
        return RefreshDispatch(outcome=reason, load_ids=[load_id])
    dispatches = _dispatch_claimed(database, load_id=load_id, left_after=_LEFT_AFTER, refresh_here=refresh_here)
    found = next((one for one in dispatches if load_id in one.load_ids), None) or RefreshDispatch(
        outcome=RefreshOutcome.UNDISPATCHED,
        load_ids=[load_id],
        problem=next((one.problem for one in dispatches if one.problem), None),
    )
    if found.outcome is RefreshOutcome.UNDISPATCHED:
        log_event(WARNING, "refresh_undispatched", load_id=load_id)
    return found


def rescue_refreshes() -> Rescued:
    """Dispatch the refreshes of loads whose process was killed after the commit. Raises `ConfigurationError`."""
    found = (_dispatch_claimed(database, left_after=_LEFT_AFTER) for database in outbox_databases())
    return Rescued(dispatches=[one for dispatches in found for one in dispatches])


def outbox_databases() -> Sequence[str]:
    """Return the databases whose loads can request refreshes: those of views, if they have the tables of loads.

    Apart from the default database, one that does not answer is left out. Raises `ConfigurationError`.
    """
    if disabled_reason() is not None:
        return []
    from seeder.services.queue.dependent_refreshes import databases_of_views

    return [one for one in databases_of_views() if one == DEFAULT_DB_ALIAS or answers_with_loads(one)]


def disabled_reason() -> RefreshOutcome | None:
    """Return why loads refresh no views, or None if they do."""
    if not conf.load().refresh_after_load:
        return RefreshOutcome.DISABLED
    return None if apps.is_installed("seeder") else RefreshOutcome.SEEDER_MISSING


def _dispatch_claimed(
    database: str,
    *,
    load_id: int | None = None,
    left_after: timedelta = timedelta(),
    refresh_here: bool = False,
    stop: StopSignal | None = None,
) -> Sequence[RefreshDispatch]:
    if disabled_reason() is not None:
        return []
    try:
        rows = refresh_outbox.claim(database, load_id=load_id, left_after=left_after)
        groups = refresh_dispatches.group_by_tables(rows)
        dispatches = [_dispatch(database, group) for group in groups]
        if refresh_here and any(one.outcome is RefreshOutcome.UNDISPATCHED for one in dispatches) and not _has_queue():
            dispatches = [_refresh(database, group, stop) for group in groups]
    except (SeederError, Error) as error:
        dispatches = [RefreshDispatch(outcome=RefreshOutcome.UNDISPATCHED, problem=str(error))]
    for one in dispatches:
        if one.outcome is not RefreshOutcome.UNDISPATCHED:
            loads = refresh_dispatches.requested_by(one.load_ids)
            log_event(INFO, "refresh_dispatched", loads=loads, outcome=one.outcome, request=one.request_id)
    return dispatches


def _dispatch(database: str, rows: Sequence[RequestedRefresh]) -> RefreshDispatch:
    """Queue the refresh of one group of rows."""
    # Without the app `seeder`, this import fails.
    from seeder.services.queue.dependent_refreshes import enqueue_dependent_refreshes

    load_ids = [row.load_id for row in rows]
    try:
        result = enqueue_dependent_refreshes(
            _relations(rows),
            requested_by=refresh_dispatches.requested_by(load_ids),
            database=database,
            idempotency_key=refresh_dispatches.dispatch_key(database, rows),
        )
    except (SeederError, Error) as error:
        refresh_outbox.release(database, rows)
        return RefreshDispatch(outcome=RefreshOutcome.UNDISPATCHED, load_ids=load_ids, problem=str(error))
    views = [str(view.name) for view in result.views]
    refresh_outbox.mark_dispatched(database, rows, request_id=result.queued.request_id, views=views)
    return RefreshDispatch(
        outcome=RefreshOutcome.QUEUED if views else RefreshOutcome.UNNEEDED,
        load_ids=load_ids,
        request_id=result.queued.request_id,
        views=views,
        undetermined=[str(view.name) for view in result.undetermined],
    )


def _refresh(database: str, rows: Sequence[RequestedRefresh], stop: StopSignal | None) -> RefreshDispatch:
    """Refresh the views of one group of rows in this process."""
    from seeder.services.queue.dependent_refreshes import refresh_dependent_views

    load_ids = [row.load_id for row in rows]
    result = refresh_dependent_views(
        _relations(rows), requested_by=refresh_dispatches.requested_by(load_ids), database=database, stop=stop
    )
    views = [str(view.name) for view in result.views]
    dispatch = RefreshDispatch(
        outcome=RefreshOutcome.REFRESHED if views else RefreshOutcome.UNNEEDED,
        load_ids=load_ids,
        views=views,
        undetermined=[str(view.name) for view in result.undetermined],
        failures={str(view.name): message for view, message in result.failures.items()},
    )
    if result.interrupted:
        return replace(dispatch, outcome=RefreshOutcome.UNDISPATCHED, problem=Text("The refresh was interrupted."))
    refresh_outbox.mark_dispatched(database, rows, request_id=None, views=views)
    return dispatch


def _relations(rows: Sequence[RequestedRefresh]) -> list[ViewName]:
    return [ViewName(schema=schema, name=name) for schema, name in rows[0].relations]


def _has_queue() -> bool:
    from seeder.services.queue.dependent_refreshes import is_queue_available

    return is_queue_available()

"""Refreshes views in one transaction that they share, and in one round trip.

The statement of each view and the rows of all commit together. If PostgreSQL finds anything else to do than to refresh
all of them, or if one fails, nothing is published, and each view is refreshed alone by `view_refresh`. So only the
usual case is here. A commit whose answer was lost is found by the refresh that follows, under the lock of its view.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.conf import Settings
from seeder.domain import lock_keys, result_notes
from seeder.domain.freshness.data_age import DataAge, RefreshedData, data_age
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Outcome, RefreshResult, StartContext
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.shared_transactions import MAX_TOTAL, SharingLimits, may_share
from seeder.postgres import sessions, shared_refresh
from seeder.postgres.catalog import name_lists
from seeder.postgres.shared_refresh import LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS, WrittenView
from seeder.postgres.sqlstates import QUERY_CANCELED, sqlstate
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.run import refresh_limits, worker_pool
from seeder.services.run.view_refresh import RefreshStopped, ViewRefresher
from seeder.services.run.worker_pool import SharingFailed, Start


def sharing_limits(settings: Settings) -> SharingLimits:
    """Return the limits of shared transactions. Their views are refreshed plainly."""
    max_duration = timedelta(milliseconds=settings.shared_refresh_ms)
    if not settings.chooses_mode:
        return SharingLimits(max_duration=timedelta() if settings.refresh_concurrently else max_duration)
    # Readers of the first view may have to wait for the lock of another one, too.
    budget = timedelta(milliseconds=settings.reader_wait_budget_ms - LOCK_TIMEOUT_MS)
    return SharingLimits(max_duration=max_duration, max_total=max(min(budget, MAX_TOTAL), timedelta()))


def shareable_views(plan: RefreshPlan, settings: Settings, history: RunHistoryWriter) -> set[PlannedView]:
    """Return the views of a plan that may share a transaction."""
    limits, grouped = sharing_limits(settings), {view for group in plan.groups for view in group.views}
    return {
        view
        for view in plan.views
        if may_share(view, limits, default_database=DEFAULT_DB_ALIAS)
        and view not in grouped
        and not history.has_namesakes(view.key)
    }


class SharedRefresher:
    """Refreshes views of one run that share a transaction."""

    def __init__(self, refresher: ViewRefresher, *, records_states: bool) -> None:
        self._refresher, self._records_states = refresher, records_states
        self._settings, self._history = refresher.settings, refresher.history

    def refresh(self, start: Start) -> Mapping[PlannedView, RefreshResult]:
        """Refresh and record the views. Raises `SharingFailed`, or `RefreshStopped` after a stop."""
        views = list(start)
        try:
            with self._refresher.in_flight.track(DEFAULT_DB_ALIAS):
                if self._refresher.stop.requested:
                    raise RefreshStopped
                written = shared_refresh.refresh_together(
                    DEFAULT_DB_ALIAS,
                    [view.key.name for view in views],
                    self._parameters(start),
                    lock_inputs=any(view.inputs and view.inputs.tables for view in views),
                    record_states=self._records_states,
                )
        except Error as error:
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            if self._refresher.stop.requested and sqlstate(error) == QUERY_CANCELED:
                raise RefreshStopped from error
            raise SharingFailed from error
        return {view: self._result(view, start[view], one) for view, one in zip(views, written, strict=True)}

    def _parameters(self, start: Start) -> Mapping[str, object]:
        views, context = list(start), next(iter(start.values()))
        limits = refresh_limits.of_transaction(self._settings, context, run_id=self._history.run_id)
        timeout = self._settings.statement_timeout_ms
        return {
            **limits,
            "lock_timeout": LOCK_TIMEOUT_MS,
            "statement_timeout": min(timeout or STATEMENT_TIMEOUT_MS, STATEMENT_TIMEOUT_MS),
            "keys": [lock_keys.of_view(view.key.name) for view in views],
            **self._history.shared_parameters([view.spec for view in views]),
            "afters": [
                context.reusable_after(self._refresher.requested_at)
                for view, context in start.items()
                for _ in view.spec.table_names
            ],
            "inputs": _distinct(oid for view in views if view.inputs for oid in view.inputs.tables),
            "input_views": _distinct(oid for view in views if view.inputs for oid in view.inputs.views),
            **name_lists(view.key.name for view in views),
            "database": DEFAULT_DB_ALIAS,
            "unknowns": [_age(view, self._refresher.requested_at).unknown for view in views],
        }

    def _result(self, view: PlannedView, context: StartContext, written: WrittenView) -> RefreshResult:
        result = RefreshResult(
            outcome=Outcome.REFRESHED,
            started_at=written.started_at,
            finished_at=written.finished_at,
            mode=RefreshMode.PLAIN,
            mode_reason=view.mode_choice.reason if view.mode_choice else None,
            rows=written.rows_inserted,
            size_bytes=written.size_bytes,
            data=RefreshedData(age=_age(view, written.started_at)) if self._records_states else None,
            snapshot=written.snapshot if view.inputs and view.inputs.tables else None,
            cost=replace(
                context.waits,
                worker_number=worker_pool.worker_number.get(),
                lock_wait=timedelta(),
                rows_inserted=written.rows_inserted,
                rows_deleted=written.rows_deleted,
            ),
        )
        notes = tuple(result_notes.notes_for(result, context, view.definition_drift))
        return replace(result, notes=notes) if notes else result


def _age(view: PlannedView, started_at: datetime) -> DataAge:
    """Return as of when a refresh of a view is that reads no materialized view."""
    return data_age(started_at, (), hides_inputs=view.inputs is not None and view.inputs.calls_opaque_functions)


def _distinct(oids: Iterable[int]) -> list[int]:
    return sorted(set(oids))

"""Writes the rows of a group: of all members in one transaction."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from datetime import timedelta

from seeder.domain import result_notes
from seeder.domain.outcomes import RefreshResult, StartContext
from seeder.domain.plan import PlannedGroup, PlannedView
from seeder.domain.view_names import ViewName
from seeder.postgres.row_counts import ViewBeforeRefresh
from seeder.postgres.transactions import atomic
from seeder.services.run import snapshot_rows, worker_pool
from seeder.services.run.view_refresh import ViewRefresher

GroupResults = Mapping[PlannedView, RefreshResult]


class GroupRows:
    """The rows of one group in a run."""

    def __init__(self, refresher: ViewRefresher, group: PlannedGroup, context: StartContext) -> None:
        self._refresher, self._history, self._group, self._context = refresher, refresher.history, group, context

    def mark_running(self) -> None:
        """Mark the members as running before the snapshot, so that nothing writes their rows after it."""
        self._history.mark_running(view.spec for view in self._group.views)

    def record(self, results: GroupResults, befores: Mapping[PlannedView, ViewBeforeRefresh]) -> GroupResults:
        """Close the rows in the transaction of the group, as its last step. Return the complete results."""
        recorded: dict[PlannedView, RefreshResult] = {}
        for view in self._in_lock_order(results):
            result, before = replace(results[view], data=None), befores[view]  # the age of the data is recorded already
            result = snapshot_rows.record_success(self._history, view.spec, result, before)
            self._refresher.save_check_results(view, result)
            recorded[view] = replace(result, data=results[view].data)
        return {view: recorded[view] for view in self._group.views if view in recorded}

    def write(self, results: GroupResults) -> GroupResults:
        """Close the rows of results that this run has not published, in a transaction of its own."""

        def write(number: int) -> None:
            if number > 1 and self.has_recorded(results):
                return  # the commit succeeded, and only its answer was lost
            with atomic(durable=True):
                for view in self._in_lock_order(results):
                    self._history.record_result(view.spec, results[view])
                    self._refresher.save_check_results(view, results[view])

        self._refresher.retry_transient(write)
        return results

    def has_recorded(self, results: GroupResults) -> bool:
        """Return whether the rows have these results. All commit together, so one shows it."""
        view = next(iter(results))
        return self._history.has_recorded(view.spec, results[view])

    def complete(
        self, view: PlannedView, result: RefreshResult, *, lock_wait: timedelta, attempts: int, lost_to: Set[ViewName]
    ) -> RefreshResult:
        """Return the result with the waits of the group, its attempts and notes.

        `lost_to` has the members that other sessions have changed in earlier attempts.
        """
        context, waits = self._context, self._context.waits
        cost = replace(
            result.cost,
            worker_number=worker_pool.worker_number.get(),
            worker_wait=waits.worker_wait,
            throttle_wait=waits.throttle_wait,
            lock_wait=lock_wait,
        )
        own_context = replace(
            context,
            failed_dependencies=tuple(key for key in context.failed_dependencies if key in view.depends_on),
            held_dependencies=tuple(key for key in context.held_dependencies if key in view.depends_on),
            held_inputs=view.held_inputs,
        )
        notes = [*result_notes.notes_for(result, own_context, view.definition_drift)]
        if lost_to and result.failure is None:
            notes.append(result_notes.lost_race_note(self._group.name, lost_to))
        return replace(result, cost=cost, attempts=attempts, notes=tuple(notes), consistent_group=self._group.name)

    @staticmethod
    def _in_lock_order(views: Iterable[PlannedView]) -> Iterable[PlannedView]:
        """Return the views in the order in which every transaction locks status rows: that of names."""
        return sorted(views, key=lambda view: min(view.spec.table_names))

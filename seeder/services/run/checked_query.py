"""Checks a view on the result of its query, and then refreshes it at the same snapshot.

Readers of a plain refresh then do not wait for checks. With a snapshot for each statement, the refresh could publish
rows that were not checked.
"""

from collections.abc import Mapping

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.conf import Settings
from seeder.domain.outcomes import RefreshResult
from seeder.domain.plan import PlannedView, ViewInputs
from seeder.postgres import group_queries, sessions
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.row_counts import ViewBeforeRefresh
from seeder.postgres.sqlstates import INSUFFICIENT_PRIVILEGE, LOCK_NOT_AVAILABLE, UNDEFINED_TABLE, sqlstate
from seeder.postgres.transactions import BatchedTransaction
from seeder.services.data_checks import check_ordering
from seeder.services.data_checks.run_data_checks import KnownResults, RunDataChecks
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.run import snapshot_rows


class SnapshotLost(Exception):
    """Another session has locked the view or an input, or has refreshed the view, so checks run inside the refresh."""


class CheckedQuery:
    """The query of one view, which is checked before its refresh, unless the checks run inside the refresh."""

    def __init__(self, view: PlannedView, settings: Settings, history: RunHistoryWriter) -> None:
        self.snapshot: str | None = None  # a pg_snapshot; None: the checks run inside the refresh
        self._view, self._settings, self._history = view, settings, history
        self._database, self._name = view.key.database, view.key.name
        self._order = view.check_order  # None, or not before: the checks run inside the refresh
        self._state: group_queries.MemberState | None = None  # of the view at the snapshot

    def begin(
        self,
        transaction: BatchedTransaction,
        before: ViewBeforeRefresh,
        inputs: ViewInputs,
        parameters: Mapping[str, object],
    ) -> ViewBeforeRefresh:
        """Commit the transaction that has found the inputs, and begin one at a snapshot from after their locks.

        Does nothing if the checks run inside the refresh. Return the state of the view. The parameters are those of
        `try_lock`, `apply_limits` and `view_before_refresh`. Such a refresh takes no proof, because a view with checks
        is never skipped.

        Raises `SnapshotLost` and database errors.
        """
        self.snapshot = None
        if not before.exists or self._order is None or not self._order.runs_before:
            return before
        found = group_queries.member_states(self._database, [self._name])
        self._order = check_ordering.find_orders(self._database, [self._view], self._settings).get(self._view)
        if self._order is None or not self._order.runs_before:
            return before
        tables = group_queries.input_tables(self._database, inputs.tables)
        if self._database == DEFAULT_DB_ALIAS:  # rows that are written after the snapshot could not be closed
            self._history.mark_running([self._view.spec])
        try:
            transaction.begin_again(table.name for table in tables.values())
        except Error as error:
            if sqlstate(error) in {LOCK_NOT_AVAILABLE, UNDEFINED_TABLE, INSUFFICIENT_PRIVILEGE}:
                raise SnapshotLost from error
            raise
        names = ("try_lock", "take_snapshot", "apply_limits", "view_before_refresh")
        statements = [STATEMENTS[one] for one in names]
        [(is_locked,)], [(_, taken)], _, [state] = sessions.query_batch(self._database, statements, parameters)
        states = group_queries.member_states(self._database, [self._name])
        self._state = states.get(self._name)
        if not is_locked or self._state is None or states != found:  # then the query may be another one, too
            raise SnapshotLost
        self.snapshot = taken
        return ViewBeforeRefresh.of(state)

    def check(self, data_checks: RunDataChecks) -> KnownResults | None:
        """Check the query. Raises `ViewHeld` if the view must not be refreshed. None without a snapshot."""
        if self.snapshot is None or self._order is None:
            return None
        return data_checks.check_query(self._view, self._order)

    def require_unreplaced(self) -> None:
        """Raise `SnapshotLost` if another session has refreshed the view between the snapshot and this refresh.

        The view would have older rows than that session has published.
        """
        if self.snapshot is not None and self._state and group_queries.is_replaced(self._database, self._state):
            raise SnapshotLost

    def record_success(self, result: RefreshResult, before: ViewBeforeRefresh) -> RefreshResult:
        """Close the rows of the view, in the transaction at its snapshot."""
        return snapshot_rows.record_success(self._history, self._view.spec, result, before)

    def give_up(self) -> None:
        """Run the checks inside the refresh from now on."""
        self.snapshot = self._order = None

"""Compares the rows of a view before and after its refresh, if a sample of the changed rows was requested."""

from dataclasses import dataclass, replace

from django.db import Error

from seeder.conf import Settings
from seeder.domain.human_format import format_size
from seeder.domain.outcomes import RefreshResult
from seeder.domain.plan import PlannedView
from seeder.domain.row_changes import RowChanges, not_compared
from seeder.postgres import row_changes
from seeder.postgres.row_changes import RowMatching
from seeder.postgres.row_counts import ViewBeforeRefresh
from seeder.postgres.sqlstates import QUERY_CANCELED, condition_name, has_lost_session, sqlstate
from seeder.services.stop_signal import StopSignal

_CREATED = "The view had no rows before, because the refresh created or first filled it. So all its rows are new."
_NO_KEY = (
    "The rows cannot be matched, because the view has no unique index on columns without a condition. Create one on the"
    " columns that identify a row."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CopiedRows:
    """The rows of a view from before its refresh, in the transaction of the refresh."""

    matching: RowMatching
    max_rows: int  # of each kind of change


@dataclass(frozen=True, kw_only=True)
class ChangeSampling:
    """Samples of changed rows in one run. An error of a comparison leaves the refresh as it is."""

    settings: Settings
    stop: StopSignal

    def before_refresh(self, view: PlannedView, before: ViewBeforeRefresh) -> CopiedRows | RowChanges | None:
        """Copy the rows of a view. Return the changes if they cannot be compared.

        None without a request: then no statement is sent. Raises errors of a lost session and those after a stop.
        """
        if view.change_request is None:
            return None
        matching = row_changes.find_matching(view.key.database, view.key.name) if before.exists else None
        reason = self._refusal(before, matching)
        if matching is None or reason is not None:
            return not_compared(reason or _CREATED)
        try:
            row_changes.copy_rows(view.key.database, matching)
        except Error as error:
            return self._failed(error)
        return CopiedRows(matching=matching, max_rows=view.change_request.max_rows)

    def _refusal(self, before: ViewBeforeRefresh, matching: RowMatching | None) -> str | None:
        """Return why the rows of a view are not compared, or None."""
        max_size = self.settings.change_sample_max_mb * 2**20
        if matching is None or not matching.is_filled:
            return _CREATED
        if not before.can_count:
            return "The role of the refresh may not read the view. Grant it SELECT."
        if not matching.key_columns:
            return _NO_KEY
        if matching.size_bytes > max_size:
            sizes = (
                f"it has {format_size(matching.size_bytes)}, and CHANGE_SAMPLE_MAX_MB allows {format_size(max_size)}"
            )
            return f"The rows were not compared, because the view is too large: {sizes}."
        return None

    def after_refresh(
        self, view: PlannedView, copied: CopiedRows | RowChanges | None, result: RefreshResult
    ) -> RefreshResult:
        """Return the result with what the refresh changed. Raises errors of a lost session and those after a stop."""
        if not isinstance(copied, CopiedRows):
            return replace(result, changes=copied)
        limits = {"max_rows": copied.max_rows, "timeout_ms": self.settings.change_sample_timeout_ms}
        try:
            changes = row_changes.compare_rows(view.key.database, copied.matching, **limits)
        except Error as error:
            changes = self._failed(error)
        return replace(result, changes=changes)

    def _failed(self, error: Error) -> RowChanges:
        if self.stop.requested or has_lost_session(error):
            raise error
        state = sqlstate(error)
        if state == QUERY_CANCELED:
            return not_compared("The comparison was cancelled, probably because it exceeded CHANGE_SAMPLE_TIMEOUT_MS.")
        return not_compared(f"The rows could not be compared ({condition_name(state)}, SQLSTATE {state}).")

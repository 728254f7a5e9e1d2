"""Closes history rows in a transaction that has one snapshot.

Such a transaction cannot update a row that was changed since its snapshot. The history rows belong to this run alone,
and are marked as running before. But the status row of a view is shared between runs: if another one has written it,
`running_view_marker` writes it after the commit.
"""

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.manifests import ViewSpec
from seeder.domain.outcomes import RefreshResult
from seeder.postgres import group_transaction
from seeder.postgres.row_counts import ViewBeforeRefresh
from seeder.postgres.sqlstates import SERIALIZATION_FAILURE, sqlstate
from seeder.services.history_rows import RunHistoryWriter


def record_success(
    history: RunHistoryWriter, spec: ViewSpec, result: RefreshResult, before: ViewBeforeRefresh
) -> RefreshResult:
    """Close the rows of a view, as `RunHistoryWriter.record_success` does."""
    history.deferred_statuses.pop(spec.key, None)  # of an attempt that was rolled back
    recorded = group_transaction.attempt_in_savepoint(
        DEFAULT_DB_ALIAS, lambda: history.record_success(spec, result, before=before)
    )
    if isinstance(recorded, RefreshResult):
        return recorded
    if sqlstate(recorded) != SERIALIZATION_FAILURE:
        raise recorded
    history.deferred_statuses[spec.key] = history.record_success(spec, result, before=before, with_status=False)
    return history.deferred_statuses[spec.key]

"""The views of a run that did not get new rows, with reasons and messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seeder.domain.monitoring.timeline import BarState, TimelineBar
from seeder.models import RunHistory
from seeder.postgres.failure_streaks import find_failure_streaks
from seeder.services.read_models import error_redaction


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFailure:
    """A failed, held or interrupted view of a run."""

    bar: TimelineBar
    message: str | None  # redacted unless the user may see it
    reason: str | None  # None if not recorded
    failures: int  # in a row, with this one
    failing_since: datetime | None  # None if it was interrupted before it failed
    last_success_at: datetime | None  # None if it never succeeded

    @property
    def is_new(self) -> bool:
        """Whether the refresh before this one succeeded."""
        return self.failures == 1 and self.last_success_at is not None


def describe_failures(bars: Sequence[TimelineBar], *, can_see_errors: bool) -> Sequence[RunFailure]:
    """Return the failures of bars that the user may see. Takes four statements."""
    rows = RunHistory.objects.in_bulk([bar.history_id for bar in bars])
    visible = error_redaction.failures_of_rows(rows.values(), can_see_errors=can_see_errors)
    streaks = find_failure_streaks({bar.table_name: bar.started_at for bar in bars})
    return [
        RunFailure(
            bar=bar,
            message=visible[bar.history_id].errors,
            reason=visible[bar.history_id].reason,
            failures=rows[bar.history_id].consecutive_failures or 0,
            failing_since=None if bar.state is BarState.INTERRUPTED else streaks[bar.table_name].since,
            last_success_at=streaks[bar.table_name].last_success_at,
        )
        for bar in bars
        if bar.history_id in visible  # otherwise it was pruned meanwhile
    ]

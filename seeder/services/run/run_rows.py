"""The only writer of the optional table of runs.

Only the use of parallel query is decided by it; the history has the other facts.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, Error
from django.db.models.functions import Now

from seeder.domain.admission_types import HoldReason
from seeder.domain.plan import RefreshPlan
from seeder.domain.run_events import RunEvent, StartsHeld, StartsResumed
from seeder.models import Run
from seeder.postgres import run_totals, sessions
from seeder.postgres.contract import OptionalTables
from seeder.services.run.listeners import RunListener


class RunRowWriter(RunListener):
    """The row of one run. Does nothing if the table is unusable."""

    def __init__(self, run_id: str, tables: OptionalTables) -> None:
        self._run_id, self._is_kept = run_id, tables.is_usable("seeder_run")
        self._has_metrics = tables.is_usable("seeder_run_metrics")
        self._holds: list[dict[str, str | None]] = []  # as in the row

    def open(
        self,
        plan: RefreshPlan,
        description: str,
        requested_by: str,
        *,
        workers: int,
        parallel_query: Mapping[str, bool],
    ) -> None:
        """Insert the row."""
        counts = Counter(manifest.agency_slug for manifest in plan.manifests)
        if self._is_kept:
            Run.objects.create(
                run_id=self._run_id,
                description=description,
                requested_by=requested_by,
                started_at=Now(),
                workers=workers,
                manifests=counts.total(),
                agencies={slug: {"manifests": number} for slug, number in counts.items()},
                parallel_query=dict(parallel_query),
            )

    def on_event(self, event: RunEvent) -> None:
        """Record when starts were on hold. Ignores database errors, because holds are for information only."""
        with suppress(Error):
            match event:
                case StartsHeld(database=database, hold=hold):
                    self._change_hold(database, hold.reason)
                case StartsResumed(database=database):
                    self._change_hold(database, None)

    def _change_hold(self, database: str, reason: HoldReason | None) -> None:
        """End the current hold of a database and start another, unless only its message has changed."""
        current = next((hold for hold in self._holds if hold["database"] == database and not hold["until"]), None)
        if not self._is_kept or reason == (current["reason"] if current else None):
            return
        now = sessions.server_time(DEFAULT_DB_ALIAS).isoformat()
        if current:
            current["until"] = now
        if reason is not None:
            self._holds.append({"database": database, "reason": reason, "from": now, "until": None})
        Run.objects.filter(pk=self._run_id).update(holds=self._holds)

    def cancel_requested_by(self) -> str | None:
        """Return the requester of the run's cancellation, or None."""
        rows = Run.objects.filter(pk=self._run_id).values_list("cancel_requested_by", flat=True)
        return rows.first() if self._is_kept else None

    def close(self, stopped_by: str | None) -> datetime:
        """Sum up the run, and return the server's time."""
        return run_totals.close_run(self._run_id, stopped_by, is_kept=self._is_kept, has_metrics=self._has_metrics)

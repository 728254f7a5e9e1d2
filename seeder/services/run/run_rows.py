"""The only writer of runs as a whole, which does nothing where there is no table for them.

Nothing is decided by these rows: the history is the truth, and what they sum up can be counted again from it.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import cast

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain.admission_decisions import HoldReason
from seeder.domain.plan import RefreshPlan
from seeder.domain.run_events import RunEvent, StartsHeld, StartsResumed
from seeder.models import Run
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables
from seeder.services.run.listeners import RunListener

_TABLE = "seeder_run"


class RunRowWriter(RunListener):
    """The row of one run."""

    def __init__(self, run_id: str, tables: OptionalTables) -> None:
        self._run_id, self._is_kept = run_id, tables.is_usable(_TABLE)
        self._held: dict[
            str, HoldReason
        ] = {}  # by database; the figures of a hold change all the time, its reason rarely

    def open(self, plan: RefreshPlan, description: str, requested_by: str, *, workers: int) -> None:
        planned = [manifest for view in plan.views for manifest in view.spec.manifests]
        manifests = [*planned, *(complaint.manifest for complaint in plan.rejected)]
        counts = Counter(manifest.agency_slug for manifest in manifests)
        agencies = {slug: {"manifests": number} for slug, number in counts.items()}
        facts = {
            "description": description,
            "requested_by": requested_by,
            "workers": workers,
            "manifests": len(manifests),
        }
        self._write("insert_run", **facts, agencies=json.dumps(agencies))

    def on_event(self, event: RunEvent) -> None:
        """What kept views from starting. It is only for the eye: what cannot be written down is left out."""
        with suppress(Error):
            match event:
                case StartsHeld(database=database, hold=hold) if hold.reason is not self._held.get(database):
                    self._end_hold(database)
                    self._held[database] = hold.reason
                    self._write("start_hold", database=database, reason=hold.reason)
                case StartsResumed(database=database):
                    self._end_hold(database)

    def _end_hold(self, database: str) -> None:
        if self._held.pop(database, None) is not None:
            self._write("end_holds", database=database)

    def close(self, stopped_by: str | None) -> datetime:
        """Sum up the run, and return the server's time."""
        close = ("close_run",) if self._is_kept else ()
        parameters = {"run": self._run_id, "stopped_by": stopped_by}
        *_, [(now,)] = sessions.query_batch(DEFAULT_DB_ALIAS, (*close, "server_time"), parameters)
        return cast("datetime", now)

    def _write(self, statement: str, **facts: object) -> None:
        if self._is_kept:
            sessions.query(DEFAULT_DB_ALIAS, statement, {"run": self._run_id, **facts})


def close_dead_runs(tables: OptionalTables, *, is_dead: Callable[[str], bool], reason: str) -> Sequence[str]:
    """Sum up the runs that ended without doing so; which."""
    if not tables.is_usable(_TABLE):
        return ()
    dead = [run for run in Run.objects.unfinished().values_list("run_id", flat=True) if is_dead(run)]
    for run_id in dead:
        sessions.query(DEFAULT_DB_ALIAS, "close_run", {"run": run_id, "stopped_by": reason})
    return dead

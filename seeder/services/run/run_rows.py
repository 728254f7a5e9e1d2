"""The only writer of the optional table of runs. Nothing is decided by it: the history has the same facts."""

import json
from collections import Counter
from contextlib import suppress
from datetime import datetime
from typing import cast

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain.admission_types import HoldReason
from seeder.domain.plan import RefreshPlan
from seeder.domain.run_events import RunEvent, StartsHeld, StartsResumed
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.named_statements import STATEMENTS
from seeder.services.run.listeners import RunListener


class RunRowWriter(RunListener):
    """The row of one run. Does nothing if the table is unusable."""

    def __init__(self, run_id: str, tables: OptionalTables) -> None:
        self._run_id, self._is_kept = run_id, tables.is_usable("seeder_run")
        self._holds: dict[str, HoldReason] = {}  # current reason by database; its message changes more often

    def open(self, plan: RefreshPlan, description: str, requested_by: str, *, workers: int) -> None:
        """Insert the row."""
        manifests = [manifest for view in plan.views for manifest in view.spec.manifests]
        manifests += [rejected.manifest for rejected in plan.rejected]
        counts = Counter(manifest.agency_slug for manifest in manifests)
        agencies = json.dumps({slug: {"manifests": number} for slug, number in counts.items()})
        facts = {"description": description, "requested_by": requested_by, "workers": workers}
        self._write("insert_run", **facts, manifests=len(manifests), agencies=agencies)

    def on_event(self, event: RunEvent) -> None:
        """Record when starts were on hold. Ignores database errors, because holds are for information only."""
        with suppress(Error):
            match event:
                case StartsHeld(database=database, hold=hold) if hold.reason is not self._holds.get(database):
                    self._end_hold(database)
                    self._holds[database] = hold.reason
                    self._write("start_hold", database=database, reason=hold.reason)
                case StartsResumed(database=database):
                    self._end_hold(database)

    def _end_hold(self, database: str) -> None:
        if self._holds.pop(database, None) is not None:
            self._write("end_holds", database=database)

    def close(self, stopped_by: str | None) -> datetime:
        """Sum up the run, and return the server's time."""
        statements = [*([STATEMENTS["close_run"]] if self._is_kept else []), STATEMENTS["server_time"]]
        parameters = {"run": self._run_id, "stopped_by": stopped_by}
        *_, [(now,)] = sessions.query_batch(DEFAULT_DB_ALIAS, statements, parameters)
        return cast("datetime", now)

    def _write(self, statement: str, **facts: object) -> None:
        if self._is_kept:
            sessions.query(DEFAULT_DB_ALIAS, STATEMENTS[statement], {"run": self._run_id, **facts})

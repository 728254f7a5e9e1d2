"""Writes the OpenLineage events of a run to the outbox."""

from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.conf import Settings
from seeder.domain.notifications.channels import LineageServer
from seeder.domain.notifications.lineage import EventType, type_of
from seeder.domain.outcomes import RefreshResult
from seeder.domain.plan import PlannedView
from seeder.domain.run_events import RunEvent, ViewEnded, ViewStarted
from seeder.errors import DatabaseError
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables
from seeder.services.notifications import outbox
from seeder.services.run.listeners import RunListener
from seeder.services.structured_log import WARNING, log_event


class RunLineage(RunListener):
    """Writes two rows for each refresh and channel, and nothing without a channel."""

    def __init__(self, run_id: str, settings: Settings, tables: OptionalTables) -> None:
        self._run_id, self._started = run_id, set[PlannedView]()
        self._channels = [one for one in settings.notifications if isinstance(one.receiver, LineageServer)]
        if not outbox.is_usable(tables):
            self._channels = []

    def on_event(self, event: RunEvent) -> None:
        match event:
            case ViewStarted(view=view) if self._channels and view not in self._started:
                self._started.add(view)  # it starts again if it cannot share a transaction
                self._write(view, EventType.START)
            case ViewEnded(view=view, result=result) if self._channels:
                self._write(view, type_of(result.outcome), result)

    def _write(self, view: PlannedView, kind: EventType, result: RefreshResult | None = None) -> None:
        agencies = sorted({manifest.agency_slug for manifest in view.spec.manifests})
        facts = {
            "type": kind,
            "run_id": self._run_id,
            "view": str(view.key.name),
            "database": view.key.database,
            "agencies": agencies,
        }
        try:
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            at = sessions.server_time(DEFAULT_DB_ALIAS) if result is None else result.finished_at
            outbox.add_lineage({**facts, **_time_and_result(at, result)}, self._channels)
        except (Error, DatabaseError) as error:
            reason = type(error).__name__
            log_event(WARNING, "lineage_lost", run_id=self._run_id, view=str(view.key.name), reason=reason)


def _time_and_result(at: datetime, result: RefreshResult | None) -> dict[str, object]:
    if result is None:
        return {"at": at.isoformat()}
    failure = result.failure
    return {
        "at": at.isoformat(),
        "reason": result.reason,
        "sqlstate": failure and failure.sqlstate,
        "rows": result.rows if failure is None else None,
        "size_bytes": result.size_bytes if failure is None else None,
    }

"""Sends the signals of a run, and writes its notifications."""

from functools import partial

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.conf import Settings
from seeder.domain.notifications.events import AlertKind, AlertState, Facts, Observation, Subject
from seeder.domain.outcomes import Outcome, RefreshResult, RunSummary
from seeder.domain.plan import PlannedView
from seeder.domain.run_events import RunEnded, RunEvent, ViewEnded
from seeder.errors import DatabaseError
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables
from seeder.services import manifest_selection, signal_sending
from seeder.services.notifications import outbox
from seeder.services.run.listeners import RunListener
from seeder.services.structured_log import WARNING, log_event

_STATES = {Outcome.FAILED: AlertState.FAILED, Outcome.HELD: AlertState.HELD}
_SIGNALS = {AlertState.FAILED: "view_failed", AlertState.HELD: "view_held", AlertState.OK: "view_recovered"}


class RunNotifications(RunListener):
    """Notifies the changes of one run. A view that succeeds as before costs no statement."""

    def __init__(self, run_id: str, settings: Settings, tables: OptionalTables) -> None:
        self._run_id, self._settings = run_id, settings
        self._is_written = bool(settings.notifications) and outbox.is_usable(tables)

    def on_event(self, event: RunEvent) -> None:
        match event:
            case ViewEnded(view=view, result=result):
                # A reused refresh is notified by the run that made it.
                if result.satisfied_by is None and (result.failure is not None or view.consecutive_failures):
                    self._notify(view, result)
            case RunEnded(summary=summary):
                signal_sending.send("run_finished", **_run_facts(summary))

    def _notify(self, view: PlannedView, result: RefreshResult) -> None:
        state, failure = _STATES.get(result.outcome, AlertState.OK), result.failure
        facts = {
            "view": str(view.key.name),
            "database": view.key.database,
            "agencies": sorted({manifest.agency_slug for manifest in view.spec.manifests}),
            "run_id": self._run_id,
            "reason": failure and failure.reason,
            "sqlstate": failure and failure.sqlstate,
            "failures": view.consecutive_failures + 1 if failure else 0,
        }
        if self._is_written:
            self._write(view, state, facts)
        signal_sending.send(_SIGNALS[state], **facts)

    def _write(self, view: PlannedView, state: AlertState, facts: Facts) -> None:
        """Write the notifications. An error leaves it to the next `notify_changes`."""
        subject = Subject(kind=AlertKind.REFRESH, database=view.key.database, name=str(view.key.name))
        try:
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            facts = {**facts, "agencies": self._agencies_of(view)}
            outbox.notify_change(subject, partial(Observation, state=state, facts=facts), self._settings)
        except (Error, DatabaseError) as error:
            reason = type(error).__name__
            log_event(WARNING, "notification_delayed", run_id=self._run_id, view=subject.name, reason=reason)

    def _agencies_of(self, view: PlannedView) -> list[str]:
        """Return all agencies of a view, because the run can be for one of them."""
        specs = manifest_selection.select_views([view.key], databases=self._settings.databases)
        return sorted({manifest.agency_slug for spec in (view.spec, *specs) for manifest in spec.manifests})


def _run_facts(summary: RunSummary) -> dict[str, object]:
    return {
        "run_id": summary.run_id,
        "succeeded": summary.succeeded,
        "failed": summary.failed,
        "held": summary.held,
        "interrupted": len(summary.interrupted),
        "stopped_by": summary.stopped_by,
    }

"""Documents of the events of a run. Their names are those in the log."""

from typing import Any

from seeder.domain import run_events
from seeder.services.documents.document_fields import Document, fields
from seeder.services.documents.run_documents import (
    planned_view_document,
    rejection_document,
    result_document,
    run_document,
    view_document,
)

_NAMES = {
    run_events.RunStarted: "run_started",
    run_events.ViewStarted: "view_started",
    run_events.ViewPostponed: "view_postponed",
    run_events.ViewEnded: "view_ended",
    run_events.StartsHeld: "starts_held",
    run_events.StartsResumed: "starts_resumed",
    run_events.RunWarning: "run_warning",
    run_events.ViewsVacuumed: "views_vacuumed",
    run_events.RunEnded: "run_ended",
}
_OF_EARLIER_EVENTS = {"dryRun", "warnings", "views", "rejected"}


def event_document(event: run_events.RunEvent, *, with_changed_rows: bool = False) -> Document:
    """Return an event, with sampled rows, which are data, only if required."""
    document: dict[str, Any] = {"event": _NAMES[type(event)]}
    match event:
        case run_events.RunStarted(plan=plan):
            document |= fields(event, "run_id", "workers")
            document["views"] = [view_document(view.key) for view in plan.views]
            document["rejected"] = [*map(rejection_document, plan.rejected)]
        case run_events.ViewStarted(view=view) | run_events.ViewPostponed(view=view):
            document |= view_document(view.key)
        case run_events.ViewEnded(view=view, result=result):
            document |= planned_view_document(view)
            document |= result_document(result, with_changed_rows=with_changed_rows)
        case run_events.StartsHeld(hold=hold):
            document |= fields(event, "database") | fields(hold, "reason", "message")
        case run_events.StartsResumed():
            document |= fields(event, "database", durationSeconds="duration")
        case run_events.RunWarning():
            document |= fields(event, "kind", "message", "database")
        case run_events.ViewsVacuumed(views=vacuumed, skipped=skipped):
            document |= fields(event, durationSeconds="duration")
            document["views"] = [view_document(view.key) for view in vacuumed]
            document["skipped"] = [{**view_document(view.key), "cause": cause} for view, cause in skipped.items()]
        case run_events.RunEnded(summary=summary):
            totals = run_document(summary, [])
            document |= {name: value for name, value in totals.items() if name not in _OF_EARLIER_EVENTS}
    return document

"""Actions of admin pages that queue refreshes and captures."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from seeder.domain.queue.queued_requests import CaptureRequest, QueuedPartState
from seeder.domain.refresh_requests import SingleView, description_text
from seeder.domain.view_names import ViewName
from seeder.errors import SeederError
from seeder.models import Run
from seeder.services.queue import cancellation, dispatch, enqueue
from seeder.services.read_models import agency_scope, pauses, run_timeline
from seeder.services.translation import translated
from seeder.texts import Text

MAX_CHANGED_ROWS = 5  # of each kind


def can_refresh(user: Any) -> bool:
    return dispatch.is_available() and bool(user.has_perm("seeder.refresh_views"))


def can_capture(user: Any) -> bool:
    return dispatch.is_available() and bool(user.has_perm("seeder.capture_releasesnapshot"))


def request_refresh(request: HttpRequest, table_name: str, *, with_changes: bool = False, force: bool = False) -> None:
    """Queue a refresh, and tell the user what became of the request. With `force`, it is never skipped."""
    try:
        view = _require_visible_view(request, table_name)
        max_changed_rows = MAX_CHANGED_ROWS if with_changes else None
        result = enqueue.enqueue_refresh(
            SingleView(name=view, max_changed_rows=max_changed_rows),
            requested_by=request.user.get_username(),
            force=force,
        )
    except SeederError as error:
        _show(request, messages.ERROR, error)
        return
    if result.request_id is None:
        _show(request, messages.WARNING, Text("No enabled manifest uses {view}; nothing to refresh.", view=view))
    elif result.joined:
        _show(request, messages.INFO, Text("The view {view} is already queued.", view=view))
    elif force:
        queued = Text("The view {view} is queued. It is refreshed even if nothing has changed.", view=view)
        _show(request, messages.SUCCESS, queued)
    else:
        _show(request, messages.SUCCESS, Text("The view {view} is queued.", view=view))


def request_retry(request: HttpRequest, run_id: str) -> None:
    try:
        retry = run_timeline.retry_request(run_id, agency_scope.agencies_of(request.user))
        result = enqueue.enqueue_refresh(retry, requested_by=request.user.get_username())
    except SeederError as error:
        _show(request, messages.ERROR, error)
        return
    if result.request_id is None:
        _show(request, messages.WARNING, Text("No enabled manifest uses a view that failed; nothing to retry."))
    elif result.joined:
        _show(request, messages.INFO, Text("The failed views are already queued."))
    else:
        _show(request, messages.SUCCESS, Text("The failed views are queued."))


def show_effect(request: HttpRequest) -> None:
    """Tell the user what a pause does to the refreshes that were queued."""
    if effect := pauses.effect_on_refresh(None, agency_scope.agencies_of(request.user)):
        _show(request, messages.WARNING, effect)


def request_cancel(request: HttpRequest, request_id: str) -> None:
    try:
        agencies = agency_scope.agencies_of(request.user)
        cancelled = cancellation.cancel(request_id, requested_by=request.user.get_username(), agencies=agencies)
    except SeederError as error:
        _show(request, messages.ERROR, error)
        return
    if isinstance(cancelled, Run):
        description, is_stopping = description_text(cancelled.description), cancelled.finished_at is None
        stops = Text("The run stops within seconds: {description}.", description=description)
    else:
        description = description_text(cancelled[0].description)
        is_stopping = any(part.state == QueuedPartState.RUNNING for part in cancelled)
        stops = Text("The worker stops within seconds: {description}.", description=description)
    if is_stopping:
        _show(request, messages.INFO, stops)
    else:
        _show(request, messages.SUCCESS, Text("The request is cancelled: {description}.", description=description))


def request_capture(request: HttpRequest, table_name: str, release_tag: str) -> None:
    try:
        view = _require_visible_view(request, table_name)
        enqueue.enqueue_capture(CaptureRequest(table_name=str(view), release_tag=release_tag))
    except SeederError as error:
        _show(request, messages.ERROR, error)
    else:
        queued = Text("The capture of {view} at {tag} is queued.", view=view, tag=release_tag)
        _show(request, messages.SUCCESS, queued)


def _show(request: HttpRequest, level: int, message: object) -> None:
    """Show a text or an error at the top of the next page, in the language of the reader."""
    messages.add_message(request, level, translated(message))


def _require_visible_view(request: HttpRequest, table_name: str) -> ViewName:
    """Return the parsed name. Raises `BadName` or, for hidden views, `UnknownTable`."""
    view = ViewName.parse(table_name)
    agency_scope.require_visible_table(str(view), agency_scope.agencies_of(request.user))
    return view

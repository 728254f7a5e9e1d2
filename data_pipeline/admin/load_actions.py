"""Actions on a load, each with a page that asks for confirmation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.html import format_html

from data_pipeline.admin import page_urls
from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.verifications import ArtefactState, RowsState
from data_pipeline.models import LoadLog
from data_pipeline.services.load_replay import enqueue_replay, replay_load
from data_pipeline.services.load_requests import QueuedRequest, enqueue_action
from data_pipeline.services.possible_actions import PERMISSIONS, ActionName
from data_pipeline.services.reject_listing import dismiss_load
from data_pipeline.services.undoing import undo_load
from data_pipeline.services.verifying import verify_load
from seeder.domain.human_format import format_count
from seeder.errors import SeederError
from seeder.services.queue import dispatch


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionResult:
    """What an action has done."""

    text: str  # sentences
    is_warning: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadAction:
    """Something that a user can do with a load."""

    name: ActionName  # in the URL
    label: str  # of the button
    effect: str  # on the page that asks for confirmation
    run: Callable[[LoadLog, str], ActionResult]  # takes the user
    enqueue: Callable[[LoadLog, str], QueuedRequest] | None = None  # for a worker; None if it takes no time

    @property
    def permission(self) -> str:
        return PERMISSIONS[self.name]

    @property
    def is_queued(self) -> bool:
        """Return whether a worker of the queue runs the action.

        Then no web process waits.
        """
        return self.enqueue is not None and dispatch.is_available()


def _undo(load: LoadLog, user: str) -> ActionResult:
    rows = undo_load(load.pk, actor=user).rows
    return ActionResult(
        text=f"Load {load.pk} is undone: {format_count(rows.removed, 'row')} removed, {rows.restored:,} restored,"
        f" {rows.reinserted:,} inserted again."
    )


def _replay(load: LoadLog, _user: str) -> ActionResult:
    loaded = replay_load(load.pk)
    if loaded.status is LoadStatus.SKIPPED:
        return ActionResult(text=f"The file was loaded already, by load {loaded.load_id}.", is_warning=True)
    counts = loaded.counts
    changed = f"{counts.rows_inserted or 0:,} inserted, {counts.rows_updated or 0:,} updated"
    written = changed if loaded.target else format_count(counts.rows_in or 0, "record")  # of an object in silver
    return ActionResult(
        text=f"The file is loaded again as load {loaded.load_id}: {written}, {counts.rows_rejected or 0:,} rejected.",
        is_warning=bool(counts.rows_rejected),
    )


def _enqueue(action: RequestAction) -> Callable[[LoadLog, str], QueuedRequest]:
    return lambda load, user: enqueue_action(load.pk, action, requested_by=user)


def _verify(load: LoadLog, user: str) -> ActionResult:
    found = verify_load(load.pk, actor=user)
    different = f"{format_count(found.rows_different or 0, 'row')} different from the file"
    rows_text = {
        RowsState.EQUAL: f"{format_count(found.rows_recorded, 'row')} in the table, equal to the file.",
        RowsState.CHANGED: f"{found.rows_found or 0:,} of {found.rows_recorded:,} rows in the table, {different}.",
        RowsState.UNKNOWN: f"The rows are not compared. {found.reason or ''}".strip(),
    }
    file_text = {
        ArtefactState.EQUAL: "The file is equal to what was loaded.",
        ArtefactState.CHANGED: "The file was changed since: its content has another hash.",
        ArtefactState.UNREADABLE: f"The file cannot be compared. {found.artefact_problem or ''}".strip(),
    }
    return ActionResult(text=f"{file_text[found.artefact]} {rows_text[found.rows]}", is_warning=not found.is_proved)


def _dismiss(load: LoadLog, user: str) -> ActionResult:
    dismissed = dismiss_load(load.pk, actor=user)
    failure = "The failure and " if dismissed.is_failure else ""
    return ActionResult(text=f"{failure}{format_count(dismissed.rejects, 'reject')} of load {load.pk} dismissed.")


LOAD_ACTIONS: Mapping[ActionName, LoadAction] = {
    one.name: one
    for one in (
        LoadAction(
            name=ActionName.REPLAY,
            label="Replay",
            effect="The file is loaded again with the same options. If its rows are in the table, it becomes a new"
            " load.",
            run=_replay,
            enqueue=lambda load, user: enqueue_replay(load.pk, requested_by=user),
        ),
        LoadAction(
            name=ActionName.UNDO,
            label="Undo",
            effect="The rows that the load inserted are removed, and those that it updated or deleted are restored."
            " This is refused if later loads have changed the same rows. Dependent views are refreshed.",
            run=_undo,
            enqueue=_enqueue(RequestAction.UNDO),
        ),
        LoadAction(
            name=ActionName.VERIFY,
            label="Verify",
            effect="The file is compared with its recorded hash, and the rows in the table with the file. Nothing is"
            " changed.",
            run=_verify,
            enqueue=_enqueue(RequestAction.VERIFY),
        ),
        LoadAction(
            name=ActionName.DISMISS,
            label="Dismiss",
            effect="The failure and the open rejects of the load are marked as dismissed. They stay on its page, but"
            " no status and no metric counts them.",
            run=_dismiss,
        ),
    )
}


def run_action(request: HttpRequest, site: AdminSite, action: LoadAction, load: LoadLog) -> None:
    """Run or queue an action.

    Its result, its request or its refusal is added to the messages.
    """
    user = request.user.get_username()
    try:
        if action.enqueue is not None and action.is_queued:
            queued = action.enqueue(load, user)
            name: str = f"request {queued.request_id}"
            if request.user.has_perm("data_pipeline.view_loadrequest"):
                name = format_html('<a href="{}">{}</a>', page_urls.request(site, queued.request_id), name)
            text = "{} of load {} is queued as {}. Its result appears there, and on the page of its load."
            messages.success(request, format_html(text, action.label, load.pk, name))
            return
        result = action.run(load, user)
    except SeederError as error:
        messages.error(request, str(error))
    else:
        messages.add_message(request, messages.WARNING if result.is_warning else messages.SUCCESS, result.text)

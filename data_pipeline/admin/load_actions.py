"""Actions on a load, each with a page that asks for confirmation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext

from data_pipeline.admin import page_urls
from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.verifications import ArtefactState, RowsState, Verification
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
from seeder.services.translation import translated
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionResult:
    """What an action has done."""

    text: Text  # sentences
    is_warning: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadAction:
    """Something that a user can do with a load."""

    name: ActionName  # in the URL
    label: Text  # of the button
    title: Callable[[int], Text]  # of the page that asks for confirmation; takes the id of the load
    effect: Text  # on that page
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
        text=Text(
            "Load {load_id} is undone: {removed} removed, {restored:,} restored, {reinserted:,} inserted again.",
            load_id=load.pk,
            removed=format_count(rows.removed, "row"),
            restored=rows.restored,
            reinserted=rows.reinserted,
        )
    )


def _replay(load: LoadLog, _user: str) -> ActionResult:
    loaded = replay_load(load.pk)
    if loaded.status is LoadStatus.SKIPPED:
        text = Text("The file was loaded already, by load {load_id}.", load_id=loaded.load_id)
        return ActionResult(text=text, is_warning=True)
    counts = loaded.counts
    changed = Text(
        "{inserted:,} inserted, {updated:,} updated",
        inserted=counts.rows_inserted or 0,
        updated=counts.rows_updated or 0,
    )
    text = Text(
        "The file is loaded again as load {load_id}: {written}, {rejected:,} rejected.",
        load_id=loaded.load_id,
        written=changed if loaded.target else format_count(counts.rows_in or 0, "record"),  # of an object in silver
        rejected=counts.rows_rejected or 0,
    )
    return ActionResult(text=text, is_warning=bool(counts.rows_rejected))


def _enqueue(action: RequestAction) -> Callable[[LoadLog, str], QueuedRequest]:
    return lambda load, user: enqueue_action(load.pk, action, requested_by=user)


def _verify(load: LoadLog, user: str) -> ActionResult:
    found = verify_load(load.pk, actor=user)
    text = Text.joined([_artefact_text(found), _rows_text(found)], " ")
    return ActionResult(text=text, is_warning=not found.is_proved)


def _artefact_text(found: Verification) -> Text:
    match found.artefact:
        case ArtefactState.EQUAL:
            return Text("The file is equal to what was loaded.")
        case ArtefactState.CHANGED:
            return Text("The file was changed since: its content has another hash.")
        case ArtefactState.UNREADABLE:
            return Text("The file cannot be compared. {problem}", problem=found.artefact_problem or "")


def _rows_text(found: Verification) -> Text:
    match found.rows:
        case RowsState.EQUAL:
            return Text("{rows} in the table, equal to the file.", rows=format_count(found.rows_recorded, "row"))
        case RowsState.CHANGED:
            return Text(
                "{found:,} of {rows} in the table, {different:,} of them different from the file.",
                found=found.rows_found or 0,
                rows=format_count(found.rows_recorded, "row"),
                different=found.rows_different or 0,
            )
        case RowsState.UNKNOWN:
            return Text("The rows are not compared: {reason}", reason=found.reason or Text("unknown"))


def _dismiss(load: LoadLog, user: str) -> ActionResult:
    dismissed = dismiss_load(load.pk, actor=user)
    facts = {"rejects": format_count(dismissed.rejects, "reject"), "load_id": load.pk}
    if dismissed.is_failure:
        return ActionResult(text=Text("The failure and {rejects} of load {load_id} dismissed.", **facts))
    return ActionResult(text=Text("{rejects} of load {load_id} dismissed.", **facts))


LOAD_ACTIONS: Mapping[ActionName, LoadAction] = {
    one.name: one
    for one in (
        LoadAction(
            name=ActionName.REPLAY,
            label=Text("Replay"),
            title=lambda load_id: Text("Replay load {load_id}", load_id=load_id),
            effect=Text(
                "The file is loaded again with the same options. If its rows are in the table, it becomes a new load."
            ),
            run=_replay,
            enqueue=lambda load, user: enqueue_replay(load.pk, requested_by=user),
        ),
        LoadAction(
            name=ActionName.UNDO,
            label=Text("Undo"),
            title=lambda load_id: Text("Undo load {load_id}", load_id=load_id),
            effect=Text(
                "The rows that the load inserted are removed, and those that it updated or deleted are restored."
                " This is refused if later loads have changed the same rows. Dependent views are refreshed."
            ),
            run=_undo,
            enqueue=_enqueue(RequestAction.UNDO),
        ),
        LoadAction(
            name=ActionName.VERIFY,
            label=Text("Verify"),
            title=lambda load_id: Text("Verify load {load_id}", load_id=load_id),
            effect=Text(
                "The file is compared with its recorded hash, and the rows in the table with the file. Nothing is"
                " changed."
            ),
            run=_verify,
            enqueue=_enqueue(RequestAction.VERIFY),
        ),
        LoadAction(
            name=ActionName.DISMISS,
            label=Text("Dismiss"),
            title=lambda load_id: Text("Dismiss load {load_id}", load_id=load_id),
            effect=Text(
                "The failure and the open rejects of the load are marked as dismissed. They stay on its page, but no"
                " status and no metric counts them."
            ),
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
            name = translated(Text("request {request_id}", request_id=queued.request_id))
            if request.user.has_perm("data_pipeline.view_loadrequest"):
                name = format_html('<a href="{}">{}</a>', page_urls.request(site, queued.request_id), name)
            text = gettext(
                "{action} of load {load_id} is queued as {request}. Its result appears there, and on the page of its"
                " load."
            )
            label = translated(action.label)
            messages.success(request, format_html(text, action=label, load_id=load.pk, request=name))
            return
        result = action.run(load, user)
    except SeederError as error:
        messages.error(request, translated(error))
    else:
        level = messages.WARNING if result.is_warning else messages.SUCCESS
        messages.add_message(request, level, translated(result.text))

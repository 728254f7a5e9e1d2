"""Actions on a load, each with a page that asks for confirmation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest

from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.models import LoadLog
from data_pipeline.services import dependent_refreshes
from data_pipeline.services.repeating import replay_load
from data_pipeline.services.undoing import undo_load
from seeder.domain.human_format import format_count
from seeder.errors import SeederError


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadAction:
    """Something that a user can do with a load."""

    name: str  # in the URL
    label: str  # of the button
    permission: str
    effect: str  # on the page that asks for confirmation
    is_possible: Callable[[LoadLog], bool]
    run: Callable[[LoadLog, str], str]  # takes the user, and returns the result as a sentence


def _undo(load: LoadLog, user: str) -> str:
    rows = undo_load(load.pk, actor=user).rows
    dependent_refreshes.refresh_after(load.pk)
    return (
        f"Load {load.pk} is undone: {format_count(rows.removed, 'row')} removed, {rows.restored:,} restored,"
        f" {rows.reinserted:,} inserted again."
    )


def _replay(load: LoadLog, _user: str) -> str:
    loaded = replay_load(load.pk)
    dependent_refreshes.refresh_after(loaded.load_id)
    if loaded.status is LoadStatus.SKIPPED:
        return f"The file is in the table already, by load {loaded.load_id}."
    counts = loaded.counts
    return (
        f"The file is loaded again as load {loaded.load_id}: {counts.rows_inserted or 0:,} inserted,"
        f" {counts.rows_updated or 0:,} updated, {counts.rows_rejected or 0:,} rejected."
    )


def _is_in_table(load: LoadLog) -> bool:
    return load.status in {LoadStatus.SUCCESS, LoadStatus.SKIPPED} and load.undone_at is None


LOAD_ACTIONS: Mapping[str, LoadAction] = {
    one.name: one
    for one in (
        LoadAction(
            name="replay",
            label="Replay",
            permission="data_pipeline.load",
            effect="The file is loaded again with the same options. If its rows are in the table, it becomes a new"
            " load. The page waits until it ends.",
            is_possible=lambda load: "options" in load.payload_meta and load.status != LoadStatus.PENDING,
            run=_replay,
        ),
        LoadAction(
            name="undo",
            label="Undo",
            permission="data_pipeline.undo",
            effect="The rows that the load inserted are removed, and those that it updated or deleted are restored."
            " This is refused if later loads have changed the same rows. Dependent views are refreshed.",
            is_possible=_is_in_table,
            run=_undo,
        ),
    )
}


def possible_actions(request: HttpRequest, load: LoadLog) -> list[LoadAction]:
    return [
        action
        for action in LOAD_ACTIONS.values()
        if request.user.has_perm(action.permission) and action.is_possible(load)
    ]


def run_action(request: HttpRequest, action: LoadAction, load: LoadLog) -> None:
    """Run an action, and add its result or its refusal to the messages."""
    try:
        messages.success(request, action.run(load, request.user.get_username()))
    except SeederError as error:
        messages.error(request, str(error))

"""What can be done with a load, and the permission for it."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.rejects import RejectState
from data_pipeline.models import LoadLog


class ActionName(StrEnum):
    """The actions on a load, as in URLs."""

    REPLAY = "replay"
    UNDO = "undo"
    VERIFY = "verify"
    DISMISS = "dismiss"


PERMISSIONS: Mapping[ActionName, str] = {
    ActionName.REPLAY: "data_pipeline.load",
    ActionName.UNDO: "data_pipeline.undo",
    ActionName.VERIFY: "data_pipeline.load",
    ActionName.DISMISS: "data_pipeline.load",
}


def is_possible(name: ActionName, load: LoadLog) -> bool:
    """Return whether the state of a load allows an action."""
    return _CONDITIONS[name](load)


def possible_actions(user: Any, load: LoadLog) -> Sequence[ActionName]:
    """Return the actions that the permissions and the state allow."""
    return [name for name, permission in PERMISSIONS.items() if user.has_perm(permission) and is_possible(name, load)]


def _is_replayable(load: LoadLog) -> bool:
    return "options" in load.payload_meta and load.status != LoadStatus.PENDING


def _is_in_table(load: LoadLog) -> bool:
    return load.status in {LoadStatus.SUCCESS, LoadStatus.SKIPPED} and load.undone_at is None


def _needs_attention(load: LoadLog) -> bool:
    is_failure = load.status == LoadStatus.FAILED and load.error_code != "undone" and load.dismissed_at is None
    return is_failure or load.rejects.filter(state=RejectState.OPEN).exists()


_CONDITIONS: Mapping[ActionName, Callable[[LoadLog], bool]] = {
    ActionName.REPLAY: _is_replayable,
    ActionName.UNDO: _is_in_table,
    ActionName.VERIFY: _is_in_table,
    ActionName.DISMISS: _needs_attention,
}

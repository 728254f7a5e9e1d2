"""What is notified: the change of a state."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Event(StrEnum):
    """Kinds of notifications. Django signals have the same names."""

    RUN_FINISHED = "run_finished"
    VIEW_FAILED = "view_failed"
    VIEW_RECOVERED = "view_recovered"
    VIEW_LATE = "view_late"
    VIEW_HELD = "view_held"

    @property
    def webhook_type(self) -> str:
        """Its name as Standard Webhooks writes names, such as `view.failed`."""
        return self.value.replace("_", ".")


class AlertKind(StrEnum):
    """What the state of a view is about."""

    REFRESH = "refresh"
    FRESHNESS = "freshness"  # a contract


class AlertState(StrEnum):
    """A state that was last notified, as in `seeder_alert.notified`."""

    OK = "ok"
    FAILED = "failed"
    HELD = "held"
    LATE = "late"


_EVENTS = {
    AlertState.OK: Event.VIEW_RECOVERED,
    AlertState.FAILED: Event.VIEW_FAILED,
    AlertState.HELD: Event.VIEW_HELD,
    AlertState.LATE: Event.VIEW_LATE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What has a state."""

    kind: AlertKind
    database: str  # Django's alias
    name: str  # of the view, as printed from the catalog
    contract_id: int = 0  # 0: not a contract

    @property
    def sort_key(self) -> tuple[str, str, str, int]:
        return self.kind, self.database, self.name, self.contract_id


Facts = Mapping[str, Any]  # arguments of the signal; JSON values without data of views and messages of PostgreSQL


def event_of_change(notified: AlertState, now: AlertState, *, is_muted: bool) -> Event | None:
    """Return the event to notify, or None if the state was notified already or the view is muted.

    After the end of a mute, a state that still differs is notified.
    """
    return None if is_muted or notified is now else _EVENTS[now]

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
    LOAD_FAILED = "load_failed"
    LOAD_RECOVERED = "load_recovered"

    @property
    def webhook_type(self) -> str:
        """Its name as Standard Webhooks writes names, such as `view.failed`."""
        return self.value.replace("_", ".")


RECOVERIES = frozenset({Event.VIEW_RECOVERED, Event.LOAD_RECOVERED})


class AlertKind(StrEnum):
    """What the state is about."""

    REFRESH = "refresh"
    FRESHNESS = "freshness"  # a contract
    LOAD = "load"  # the loads of a source


class AlertState(StrEnum):
    """A state that was last notified, as in `seeder_alert.notified`."""

    OK = "ok"
    FAILED = "failed"
    HELD = "held"
    LATE = "late"


_LOAD_EVENTS = {AlertState.OK: Event.LOAD_RECOVERED, AlertState.FAILED: Event.LOAD_FAILED}
_VIEW_EVENTS = {
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
    name: str  # of the view, as printed from the catalog, or of the source of loads
    contract_id: int = 0  # 0: not a contract

    @property
    def sort_key(self) -> tuple[str, str, str, int]:
        return self.kind, self.database, self.name, self.contract_id


Facts = Mapping[str, Any]  # arguments of the signal; JSON values without data of views and messages of PostgreSQL


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """The state of a subject, with the facts to tell."""

    state: AlertState
    facts: Facts


def event_of_change(kind: AlertKind, notified: AlertState, now: AlertState, *, is_muted: bool) -> Event | None:
    """Return the event to notify, or None if the state was notified already or the view is muted.

    After the end of a mute, a state that still differs is notified.
    """
    events = _LOAD_EVENTS if kind is AlertKind.LOAD else _VIEW_EVENTS
    return None if is_muted or notified is now else events[now]

"""The only writer of the optional tables of alerts and notifications."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS

from seeder.conf import Settings
from seeder.domain.notifications.channels import Channel
from seeder.domain.notifications.delivery import LEASE, DeliveryState
from seeder.domain.notifications.events import AlertState, Event, Facts, Observation, Subject, event_of_change
from seeder.domain.notifications.lineage import EVENT as LINEAGE
from seeder.notification_errors import NotificationsUnusable
from seeder.postgres.contract import OptionalTables, optional_tables
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sessions import Row, query
from seeder.postgres.transactions import atomic
from seeder.services.storable_text import is_storable

TABLES = ("seeder_alert", "seeder_mute", "seeder_notification")
_MAX_COLLECTED = 500  # in one message
_MAX_ERROR_CHARACTERS = 500


def is_usable(tables: OptionalTables) -> bool:
    return all(map(tables.is_usable, TABLES))


def require_tables(tables: OptionalTables) -> None:
    """Raise `NotificationsUnusable` if this role cannot use one of the tables."""
    for table in TABLES:
        if not tables.is_usable(table):
            raise NotificationsUnusable(reason=tables.unusable[table], lost_feature=optional_tables()[table])


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A change that was written just now."""

    event: Event
    facts: Facts


def notify_change(subject: Subject, observe: Callable[[], Observation], settings: Settings) -> Change | None:
    """Write the notifications of a subject if its state is another one than was last notified. Return the change.

    `observe` is called while the alert is locked, so that two processes do not tell the same change.
    """
    key = {"kind": subject.kind, "database": subject.database, "view": subject.name, "contract": subject.contract_id}
    with atomic(durable=True):
        [(alert, notified, notified_at)] = query(DEFAULT_DB_ALIAS, STATEMENTS["lock_alert"], key)
        [(is_muted,)] = query(DEFAULT_DB_ALIAS, STATEMENTS["is_muted"], key)
        observed = observe()
        event = event_of_change(subject.kind, AlertState(notified), observed.state, is_muted=is_muted)
        if event is None:
            return None
        facts = {**observed.facts, "previous": notified, "since": notified_at and notified_at.isoformat()}
        query(DEFAULT_DB_ALIAS, STATEMENTS["set_notified"], {"alert": alert, "notified": observed.state})
        _add(event, f"{subject.database}:{subject.name}", facts, settings.notifications)
        return Change(event=event, facts=observed.facts)


def _add(event: Event, subject: str, facts: Facts, channels: Sequence[Channel]) -> None:
    names = [one.name for one in channels if one.wants(event, facts["agencies"])]
    if names:
        parameters = {"event": event, "subject": subject, "facts": json.dumps(dict(facts)), "channels": names}
        query(DEFAULT_DB_ALIAS, STATEMENTS["add_notification"], parameters)


def add_lineage(facts: Facts, channels: Sequence[Channel]) -> None:
    """Write the event of a refresh for the channels of its agencies."""
    names = [one.name for one in channels if one.is_for(facts["agencies"])]
    if names:
        subject = f"{facts['database']}:{facts['view']}"
        parameters = {"event": LINEAGE, "subject": subject, "facts": json.dumps(dict(facts)), "channels": names}
        query(DEFAULT_DB_ALIAS, STATEMENTS["add_notification"], parameters)


def complete_lineage(channel: Channel) -> None:
    """Write the starts and ends of runs, and the end of refreshes whose run was killed, from the table of runs."""
    facts = {"channel": channel.name, "event": LINEAGE, "agencies": sorted(channel.agencies)}
    query(DEFAULT_DB_ALIAS, STATEMENTS["add_aborted_refreshes"], facts)
    query(DEFAULT_DB_ALIAS, STATEMENTS["add_lineage_of_runs"], facts)


def add_finished_runs(channels: Sequence[Channel], tables: OptionalTables) -> None:
    """Write the notifications of the runs that ended within an hour, once for each channel that wants them."""
    for channel in channels if tables.is_usable("seeder_run") else ():
        if Event.RUN_FINISHED in channel.events:
            facts = {"channel": channel.name, "event": Event.RUN_FINISHED, "agencies": sorted(channel.agencies)}
            query(DEFAULT_DB_ALIAS, STATEMENTS["add_finished_runs"], facts)


class ClaimedNotification(NamedTuple):
    """A row that this sender delivers now. After the lease, another one would."""

    id: int
    event: str
    facts: Mapping[str, Any]
    created_at: datetime
    attempts: int  # with this one


def has_gone(channel: str) -> bool:
    """Return whether the receiver of a channel has answered that it does not want any more."""
    [(gone,)] = query(DEFAULT_DB_ALIAS, STATEMENTS["has_gone"], {"channel": channel})
    return bool(gone)


def claim_next(channel: str, *, now: datetime) -> ClaimedNotification | None:
    """Claim the next notification of a channel that is due, in the order of each subject."""
    parameters = {"channel": channel, "now": now, "lease_ends_at": now + LEASE}
    for row in query(DEFAULT_DB_ALIAS, STATEMENTS["claim_notification"], parameters):
        return _claimed(row)
    return None


def claim_collected(channel: str, *, now: datetime, collected_since: datetime) -> list[ClaimedNotification]:
    """Claim all notifications of a channel that are due, if the oldest was written before a time."""
    lease = {"now": now, "lease_ends_at": now + LEASE}
    parameters = {"channel": channel, "collected_since": collected_since, "limit": _MAX_COLLECTED, **lease}
    rows = query(DEFAULT_DB_ALIAS, STATEMENTS["claim_collected"], parameters)
    return sorted(map(_claimed, rows), key=lambda row: row.id)


def _claimed(row: Row) -> ClaimedNotification:
    number, event, facts, created_at, attempts = row
    return ClaimedNotification(number, event, json.loads(facts), created_at, attempts)  # Django leaves JSON as text


def end_attempt(
    row: ClaimedNotification, state: DeliveryState, *, now: datetime, due_at: datetime | None, error: str | None
) -> None:
    """Record the result of an attempt."""
    if error is not None:
        error = error[:_MAX_ERROR_CHARACTERS] if is_storable(error) else "unprintable"
    result = {"id": row.id, "state": state, "now": now, "due_at": due_at, "error": error}
    query(DEFAULT_DB_ALIAS, STATEMENTS["end_attempt"], result)


def retry_channel(channel: str) -> int:
    """Have everything that a channel did not get sent again. Return the number of notifications."""
    return len(query(DEFAULT_DB_ALIAS, STATEMENTS["retry_channel"], {"channel": channel}))

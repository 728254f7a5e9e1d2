"""Mutes of notifications. The only writer of their optional table."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.db.models.functions import Now

from seeder.models import Mute
from seeder.notification_errors import BadMute, NotificationsUnusable
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables, optional_tables
from seeder.services.storable_text import is_storable
from seeder.services.structured_log import WARNING, log_event

TABLE = "seeder_mute"
PERMISSION = "seeder.mute_notifications"
DEFAULT_HOURS, MAX_HOURS = 24, 90 * 24


@dataclass(frozen=True, kw_only=True, slots=True)
class MuteSubject:
    """A view or a source of loads."""

    database: str  # Django's alias
    name: str  # of a view, as printed from the catalog, or of a source

    def current(self) -> QuerySet[Mute]:
        """The mutes that have not ended. Needs the table."""
        return Mute.objects.filter(database_alias=self.database, table_name=self.name, ends_at__gt=Now())


def current_mute(subject: MuteSubject) -> Mute | None:
    """Return the mute that ends last, or None. Needs the table."""
    return subject.current().order_by("-ends_at").first()


def mute(subject: MuteSubject, *, reason: str, hours: int, muted_by: str) -> None:
    """Notify nothing about a view or a source for some hours. It is refreshed or loaded as before.

    Raises `BadMute`, `NotificationsUnusable` or `DatabaseError`.
    """
    if not reason.strip() or not is_storable(reason):
        raise BadMute(subject=subject.name, problem="give a reason, which is shown to others")
    if not 1 <= hours <= MAX_HOURS:
        raise BadMute(subject=subject.name, problem=f"give 1 to {MAX_HOURS} hours")
    _require_table()
    ends_at = sessions.server_time(DEFAULT_DB_ALIAS) + timedelta(hours=hours)
    columns = {"database_alias": subject.database, "table_name": subject.name, "reason": reason.strip()}
    Mute.objects.create(**columns, muted_by=muted_by, ends_at=ends_at)
    name, database = subject.name, subject.database
    log_event(WARNING, "notifications_muted", subject=name, database=database, user=muted_by, hours=hours)


def end_mute(subject: MuteSubject, *, ended_by: str) -> None:
    """End the mutes of a view or a source now. Raises `NotificationsUnusable` or `DatabaseError`."""
    _require_table()
    if subject.current().update(ends_at=Now()):
        name, database = subject.name, subject.database
        log_event(WARNING, "notifications_unmuted", subject=name, database=database, user=ended_by)


def _require_table() -> None:
    tables = OptionalTables.read(DEFAULT_DB_ALIAS)
    if not tables.is_usable(TABLE):
        raise NotificationsUnusable(reason=tables.unusable[TABLE], lost_feature=optional_tables()[TABLE])

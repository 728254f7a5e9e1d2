"""Mutes of notifications. The only writer of their optional table."""

from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS
from django.db.models.functions import Now

from seeder.domain.manifests import ViewKey
from seeder.models import Mute
from seeder.notification_errors import BadMute, NotificationsUnusable
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables, optional_tables
from seeder.services.storable_text import is_storable
from seeder.services.structured_log import WARNING, log_event

TABLE = "seeder_mute"
PERMISSION = "seeder.mute_notifications"
DEFAULT_HOURS, MAX_HOURS = 24, 90 * 24


def current_mute(view: ViewKey) -> Mute | None:
    """Return the mute of a view that ends last, or None. Needs the table."""
    rows = Mute.objects.filter(database_alias=view.database, table_name=str(view.name), ends_at__gt=Now())
    return rows.order_by("-ends_at").first()


def mute(view: ViewKey, *, reason: str, hours: int, muted_by: str) -> None:
    """Notify nothing about a view for some hours. It is refreshed as before.

    Raises `BadMute`, `NotificationsUnusable` or `DatabaseError`.
    """
    if not reason.strip() or not is_storable(reason):
        raise BadMute(view=view.name, problem="give a reason, which is shown to others")
    if not 1 <= hours <= MAX_HOURS:
        raise BadMute(view=view.name, problem=f"give 1 to {MAX_HOURS} hours")
    _require_table()
    ends_at = sessions.server_time(DEFAULT_DB_ALIAS) + timedelta(hours=hours)
    columns = {"database_alias": view.database, "table_name": str(view.name), "reason": reason.strip()}
    Mute.objects.create(**columns, muted_by=muted_by, ends_at=ends_at)
    log_event(WARNING, "view_muted", view=str(view.name), database=view.database, user=muted_by, hours=hours)


def end_mute(view: ViewKey, *, ended_by: str) -> None:
    """End the mutes of a view now. Raises `NotificationsUnusable` or `DatabaseError`."""
    _require_table()
    rows = Mute.objects.filter(database_alias=view.database, table_name=str(view.name), ends_at__gt=Now())
    if rows.update(ends_at=Now()):
        log_event(WARNING, "view_unmuted", view=str(view.name), database=view.database, user=ended_by)


def _require_table() -> None:
    tables = OptionalTables.read(DEFAULT_DB_ALIAS)
    if not tables.is_usable(TABLE):
        raise NotificationsUnusable(reason=tables.unusable[TABLE], lost_feature=optional_tables()[TABLE])

"""Notifications that are not delivered."""

from collections.abc import Iterator

from django.db import DEFAULT_DB_ALIAS

from seeder.postgres.contract import OptionalTables
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sessions import query
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem, warning_problem
from seeder.services.notifications import outbox
from seeder.texts import Text

UNUSABLE = error_problem(
    name="notifications_unusable",
    area="notifications",
    meaning=Text(
        "`NOTIFICATIONS` has channels, but a table that they need is missing or forbidden, so nothing is notified."
    ),
    fix=Text("`manage.py install_schema` creates the tables. docs/how-to/security.md has the grants."),
)
GONE = warning_problem(
    name="channel_disabled",
    area="notifications",
    meaning=Text("The receiver of a channel has answered 410 (Gone), so nothing is sent to it any more."),
    fix=Text("Remove the channel, or correct its address and run `manage.py send_notifications --retry CHANNEL`."),
)
OVERDUE = warning_problem(
    name="notifications_overdue",
    area="notifications",
    meaning=Text("Notifications have waited for more than an hour: the receiver is down, or nothing sends them."),
    fix=Text(
        "The list of notifications in the admin has the last error. Without one, run `manage.py schedule_refreshes` and"
        " check the queue, or run `manage.py send_notifications` every minute."
    ),
)
UNKNOWN = warning_problem(
    name="channel_unknown",
    area="notifications",
    meaning=Text("Notifications wait for a channel that `NOTIFICATIONS` does not have, so they are never sent."),
    fix=Text("Declare the channel again. Otherwise `prune_history` deletes its notifications."),
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    channels = {channel.name for channel in database.settings.notifications}
    if not database.is_default or not channels:
        return
    tables = OptionalTables.read(DEFAULT_DB_ALIAS)
    if not outbox.is_usable(tables):
        for table in outbox.TABLES:
            if (reason := tables.unusable.get(table)) is not None:
                yield UNUSABLE.found(table, message=Text("{reason}.", reason=reason))
        return
    for channel, undelivered, is_gone, is_overdue in query(DEFAULT_DB_ALIAS, STATEMENTS["undelivered_by_channel"]):
        waiting = Text("Notifications that wait: {number}.", number=undelivered)
        if channel not in channels:
            unknown = Text("NOTIFICATIONS has no channel {channel!r}.", channel=channel)
            yield UNKNOWN.found(channel, message=Text.joined([unknown, waiting], " "))
        elif is_gone:
            yield GONE.found(channel, message=Text.joined([GONE.meaning, waiting], " "))
        elif is_overdue:
            yield OVERDUE.found(channel, message=Text.joined([OVERDUE.meaning, waiting], " "))

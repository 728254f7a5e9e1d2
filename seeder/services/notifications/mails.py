"""Sends one e-mail through Django."""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import DNS_NAME, EmailMessage

from seeder.domain.notifications.channels import Mailbox
from seeder.domain.notifications.events import Event
from seeder.domain.notifications.texts import Notification, body_of, subject_of
from seeder.services.notifications.outbox import ClaimedNotification


def send(mailbox: Mailbox, rows: Sequence[ClaimedNotification]) -> None:
    """Send one or several notifications in one message. Raises what the e-mail backend raises."""
    notifications = [Notification(event=Event(row.event), facts=row.facts, at=row.created_at) for row in rows]
    message = EmailMessage(
        subject=f"{settings.EMAIL_SUBJECT_PREFIX}{subject_of(notifications)}",
        body=body_of(notifications),
        to=mailbox.recipients,
        # The same message again has the same id, so that mail programs can show it once.
        headers={"Message-ID": f"<reporting-seeder.{rows[0].id}.{rows[-1].id}@{DNS_NAME}>"},
    )
    message.send()

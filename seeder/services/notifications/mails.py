"""Sends one e-mail through Django."""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import DNS_NAME, EmailMessage

from seeder.domain.notifications.channels import Mailbox
from seeder.domain.notifications.texts import Notification, body_of, subject_of
from seeder.services.translation import translated


def send(mailbox: Mailbox, notifications: Sequence[Notification], *, first: int, last: int) -> None:
    """Send the notifications of these ids in one message. Raises what the e-mail backend raises."""
    message = EmailMessage(
        subject=f"{settings.EMAIL_SUBJECT_PREFIX}{translated(subject_of(notifications))}",
        body=translated(body_of(notifications)),
        to=mailbox.recipients,
        # The same message again has the same id, so that mail programs can show it once.
        headers={"Message-ID": f"<reporting-seeder.{first}.{last}@{DNS_NAME}>"},
    )
    message.send()

"""Times as text in the host's time zone."""

from datetime import datetime

from django.utils import timezone

from seeder.texts import Text


def local_time_text(instant: datetime) -> Text:
    """Return a time such as `2026-11-22 02:00 UTC`, in the host's time zone."""
    return Text("{instant:%Y-%m-%d %H:%M %Z}", instant=timezone.localtime(instant))

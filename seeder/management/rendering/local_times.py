"""Times as text in the host's time zone."""

from datetime import datetime

from django.utils import timezone


def local_time_text(instant: datetime) -> str:
    """Return a time such as `2026-11-22 02:00 UTC`, in the host's time zone."""
    return f"{timezone.localtime(instant):%Y-%m-%d %H:%M %Z}"

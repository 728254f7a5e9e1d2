"""Instants in lists of the admin."""

from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime


def instant_text(instant: datetime) -> str:
    """Return an instant in local time, such as `30 Nov 2026 14:05`."""
    return date_format(localtime(instant), "j M Y H:i")

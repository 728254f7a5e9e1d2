"""Cells of the lists of loads."""

from datetime import datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from data_pipeline.domain.load_words import load_word
from seeder.services.translation import translated
from seeder.templatetags.seeder_pages import full_minute


def instant_text(instant: datetime) -> str:
    """Return an instant in local time, such as `30 Nov 2026 14:05`."""
    return full_minute(localtime(instant))


def labelled(label: Any, value: object) -> SafeString:
    """Return a value with its label.

    Narrow pages show the label, because they have no headings of columns.
    """
    return format_html('<span class="cell-label">{} </span>{}', label, value)


def word(name: str) -> str:
    """Return the translated word for a state or an action."""
    return translated(load_word(name))

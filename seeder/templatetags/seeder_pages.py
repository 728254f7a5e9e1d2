"""Figures, instants and outcomes as the pages show them."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.timesince import timesince

from seeder.domain import human_format

EMPTY_VALUE = "\N{EN DASH}"

register = template.Library()


@register.filter
def duration(value: timedelta | float | None) -> str:
    """`0.42 s`, `3 min 07 s`; given in whole seconds as the history has them, too."""
    if value is None:
        return EMPTY_VALUE
    return human_format.format_duration(value if isinstance(value, timedelta) else timedelta(seconds=value))


@register.filter
def wait_duration(value: timedelta | None) -> str:
    """As `span`, but nothing for what nobody notices."""
    return EMPTY_VALUE if value is None or value < timedelta(milliseconds=5) else duration(value)


@register.filter
def number(value: int | None) -> str:
    return EMPTY_VALUE if value is None else f"{value:,}"


@register.filter
def with_noun(value: int, noun: str) -> str:
    return human_format.format_count(value, noun)


@register.filter
def ago(at: datetime) -> str:
    """`3 hours ago`; the exact instant stands beside it."""
    if timezone.now() - at < timedelta(minutes=1):
        return "just now"
    return f"{timesince(at, depth=1)} ago"

"""Figures, instants and outcomes as the pages show them."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.timesince import timesince

from seeder.domain import units

NOTHING = "\N{EN DASH}"

register = template.Library()


@register.filter
def span(took: timedelta | float | None) -> str:
    """`0.42 s`, `3 min 07 s`; given in whole seconds as the history has them, too."""
    if took is None:
        return NOTHING
    return units.format_duration(took if isinstance(took, timedelta) else timedelta(seconds=took))


@register.filter
def waited(span_of_it: timedelta | None) -> str:
    """As `span`, but nothing for what nobody notices."""
    return NOTHING if span_of_it is None or span_of_it < timedelta(milliseconds=5) else span(span_of_it)


@register.filter
def number(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


@register.filter
def counted(value: int, noun: str) -> str:
    return units.format_count(value, noun)


@register.filter
def ago(at: datetime) -> str:
    """`3 hours ago`; the exact instant stands beside it."""
    if timezone.now() - at < timedelta(minutes=1):
        return "just now"
    return f"{timesince(at, depth=1)} ago"

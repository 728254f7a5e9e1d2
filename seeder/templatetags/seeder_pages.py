"""Filters that format numbers, durations and times."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from seeder.domain import human_format
from seeder.domain.message_blocks import message_blocks
from seeder.domain.monitoring.run_grid import Cell, CellState
from seeder.domain.monitoring.timeline import describe_reason
from seeder.domain.snapshots.drift_text import DIFFERENCE_TEXTS, describe_change
from seeder.services.documents.error_documents import reason_url
from seeder.services.read_models.manifest_list import DRIFT_TEXTS
from seeder.services.translation import translated

EMPTY_VALUE = "\N{EN DASH}"

register = template.Library()
register.filter("change", describe_change)
register.filter("drift_text", lambda state: DRIFT_TEXTS[state])
register.filter("difference_texts", lambda finding: DIFFERENCE_TEXTS[finding.kind])
register.filter("reason", describe_reason)
register.filter("with_noun", human_format.format_count)
register.filter("size", human_format.format_size)
register.filter("message_blocks", message_blocks)
register.filter("reason_url", reason_url)
register.filter("translated", translated)


@register.filter
def duration(value: timedelta | None) -> str:
    """Format a duration, e.g. `0.42 s`, `3 min 07 s`."""
    return EMPTY_VALUE if value is None else human_format.format_duration(value)


@register.filter
def wait_duration(seconds: float | None) -> str:
    """Format a wait like `duration`, but hide waits under 5 ms."""
    return EMPTY_VALUE if seconds is None or seconds < 0.005 else duration(timedelta(seconds=seconds))


@register.filter
def number(value: int | None) -> str:
    return EMPTY_VALUE if value is None else f"{value:,}"


@register.filter
def day_and_time(at: datetime) -> str:
    """Format a time as `today 02:00`, `yesterday 02:00` or `30 Nov 02:00`, with the year if it is another one."""
    local, today = timezone.localtime(at), timezone.localdate()
    if local.date() in {today, today - timedelta(days=1)}:
        return f"{'today' if local.date() == today else 'yesterday'} {local:%H:%M}"
    return f"{local:%-d %b %H:%M}" if local.year == today.year else f"{local:%-d %b %Y %H:%M}"


@register.filter
def grid_cell(cell: Cell) -> SafeString:
    """Return a cell of the grid. A page has 700, for which a template would need most of the page's time."""
    word = str(cell.state)
    facts = [word, *([day_and_time(cell.started_at)] if cell.started_at else ())]
    if cell.duration is not None:
        facts.append(duration(cell.duration))
    if cell.state is CellState.FAILED and cell.reason:
        facts.append(describe_reason(cell.reason))
    return format_html(
        '<td class="cell {0}" title="{1}"><svg role="img" aria-label="{2}"><use href="#cell-{0}"/></svg></td>',
        cell.css_class,
        ", ".join(facts),
        word,
    )


@register.filter
def first_lines(text: str, count: int) -> str:
    """Return the first lines, with an ellipsis if there are others."""
    lines = text.splitlines()
    return "\n".join(lines[:count]) + ("\n\N{HORIZONTAL ELLIPSIS}" if len(lines) > count else "")


@register.filter
def ago(at: datetime) -> str:
    """Format a time as `3 hours ago`."""
    if timezone.now() - at < timedelta(minutes=1):
        return "just now"
    return f"{timesince(at, depth=1)} ago"

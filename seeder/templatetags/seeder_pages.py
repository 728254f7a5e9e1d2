"""Filters that format numbers, durations and times."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext_lazy

from seeder.domain import human_format
from seeder.domain.message_blocks import message_blocks
from seeder.domain.monitoring.run_grid import Cell, CellState
from seeder.domain.monitoring.state_words import state_word
from seeder.domain.monitoring.timeline import BarState, describe_reason
from seeder.domain.refresh_requests import description_text
from seeder.domain.snapshots.drift_text import DIFFERENCE_TEXTS, describe_change
from seeder.domain.view_names import ViewName
from seeder.services.documents.error_documents import reason_url
from seeder.services.queue import schedules
from seeder.services.read_models.attention import FailingView
from seeder.services.read_models.manifest_list import DRIFT_TEXTS
from seeder.services.translation import translated
from seeder.texts import Text

EMPTY_VALUE = "\N{EN DASH}"
_NUMBER = "{number:,}"
_AGO: Any = {  # lazy texts, which the stubs of Django do not know
    "year": ngettext_lazy("%(num)d year ago", "%(num)d years ago", "num"),
    "month": ngettext_lazy("%(num)d month ago", "%(num)d months ago", "num"),
    "week": ngettext_lazy("%(num)d week ago", "%(num)d weeks ago", "num"),
    "day": ngettext_lazy("%(num)d day ago", "%(num)d days ago", "num"),
    "hour": ngettext_lazy("%(num)d hour ago", "%(num)d hours ago", "num"),
    "minute": ngettext_lazy("%(num)d minute ago", "%(num)d minutes ago", "num"),
}
# A bar of a timeline, and what can be in and around it.
_BAR = (
    '<g class="{}">{}<a href="{}" tabindex="-1"><title>{}</title><rect class="bar" {} y="{}" height="{}"/>{}{}</a></g>'
)
_WAIT = '<rect class="{}" x="{}" width="{}" y="{}" height="{}"/>'
_PATH = '<rect class="critical" {} y="{}" height="3"/>'
_LABEL = '<svg class="label" {} y="{}" height="{}"><text x="{}" y="11">{}</text></svg>'
_FLAG = (
    '<g class="{}"><a href="{}" tabindex="-1"><title>{}</title><svg class="flag" x="{}" y="{}">'
    '<path d="M-1-9h14v18h-14z"/><path class="sign" d="{}"/></svg></a></g>'
)
_SIGNS = {
    BarState.FAILED: "M3-3 9 3M9-3 3 3",
    BarState.HELD: "M4-4V4M8-4V4",
    BarState.INTERRUPTED: "M3-3h6v6h-6z",
}

register = template.Library()
register.filter("change", describe_change)
register.filter("drift_text", lambda state: DRIFT_TEXTS[state])
register.filter("difference_texts", lambda finding: DIFFERENCE_TEXTS[finding.kind])
register.filter("reason", lambda reason: translated(describe_reason(reason)))
register.filter("state_word", lambda state: translated(state_word(state)))
register.filter("with_noun", lambda number, noun: translated(human_format.format_count(number, noun)))
register.filter("size", lambda size: translated(human_format.format_size(size)))
register.filter("message_blocks", message_blocks)
register.filter("reason_url", reason_url)
register.filter("translated", translated)
register.filter("start_reason", lambda requested_by: translated(schedules.start_reason(requested_by)))
register.filter("request_text", lambda description: translated(description_text(description)))
register.filter("schedule_label", lambda name: translated(schedules.label(name)))


@register.filter
def duration(value: timedelta | None) -> str:
    """Format a duration, e.g. `0.42 s`, `3 min 07 s`."""
    return EMPTY_VALUE if value is None else translated(human_format.format_duration(value))


@register.filter
def wait_duration(seconds: float | None) -> str:
    """Format a wait like `duration`, but hide waits under 5 ms."""
    return EMPTY_VALUE if seconds is None or seconds < 0.005 else duration(timedelta(seconds=seconds))


@register.filter
def agency_names(slugs: Iterable[str], names: Mapping[str, str]) -> str:
    """Name agencies, as far as `names` has them: those that the user may see."""
    return translated(human_format.format_names((names[slug] for slug in slugs if slug in names), "agency"))


@register.filter
def number(value: int | None) -> str:
    return EMPTY_VALUE if value is None else translated(Text(_NUMBER, number=value))


@register.filter(expects_localtime=True)
def short_date(at: datetime) -> str:
    """Format a date as `30 Nov`."""
    return translated(Text("{at:%-d %b}", at=at))


@register.filter(expects_localtime=True)
def full_date(at: datetime) -> str:
    """Format a date as `30 Nov 2026`."""
    return translated(Text("{at:%-d %b %Y}", at=at))


@register.filter(expects_localtime=True)
def short_minute(at: datetime) -> str:
    """Format a time as `30 Nov 02:00`."""
    return translated(Text("{at:%-d %b %H:%M}", at=at))


@register.filter(expects_localtime=True)
def full_minute(at: datetime) -> str:
    """Format a time as `30 Nov 2026 02:00`."""
    return translated(Text("{at:%-d %b %Y %H:%M}", at=at))


@register.filter(expects_localtime=True)
def full_second(at: datetime) -> str:
    """Format a time as `30 Nov 2026 02:00:41`."""
    return translated(Text("{at:%-d %b %Y %H:%M:%S}", at=at))


@register.filter
def day_and_time(at: datetime) -> str:
    """Format a time as `today 02:00` or `30 Nov 02:00`, with the year if it is another one.

    Yesterday and tomorrow are words, too.
    """
    return _day_and_time(at, timezone.localdate())


@register.filter
def grid_cells(cells: Sequence[Cell]) -> SafeString:
    """Return the cells of a row. A page has 700, for which a template would need most of the page's time."""
    today = timezone.localdate()
    words = {state: translated(state_word(state)) for state in {cell.state for cell in cells}}
    html = '<td class="cell {0}" title="{1}"><svg role="img" aria-label="{2}"><use href="#cell-{0}"/></svg></td>'
    shown = ((cell.css_class, ", ".join(_cell_facts(cell, words, today)), words[cell.state]) for cell in cells)
    return format_html_join("\n    ", html, shown)


@register.filter
def timeline_bars(chart: Mapping[str, Any]) -> SafeString:
    """Return the bars of a timeline, then the flags of those without new rows. A page has 500 bars."""
    height, has_labels = chart["bar_height"], chart["by"] == "worker"
    bars = format_html_join("\n      ", _BAR, (_bar_parts(bar, height, has_labels) for bar in chart["bars"]))
    flags = format_html_join(
        "",
        _FLAG,
        (
            (bar["state"], bar["url"], bar["title"], bar["x"], bar["middle"], _SIGNS[bar["state"]])
            for bar in chart["bars"]
            if bar["is_unpublished"]
        ),
    )
    return bars + flags


def _bar_parts(bar: Mapping[str, Any], height: int, has_labels: bool) -> Sequence[object]:  # noqa: FBT001  # as above
    place = format_html('x="{}" width="{}"', bar["x"], bar["width"])
    waits = ((wait["kind"], wait["x"], wait["width"], *_wait_line(wait, bar, height)) for wait in bar["waits"])
    return (
        bar["state"],
        format_html_join("", _WAIT, waits) if bar["waits"] else "",
        bar["url"],
        bar["title"],
        place,
        bar["y"],
        height,
        format_html(_PATH, place, bar["line"]) if bar["is_critical"] else "",
        format_html(_LABEL, place, bar["y"], height, 16 if bar["is_unpublished"] else 4, bar["label"])
        if has_labels and bar["is_wide"]
        else "",
    )


def _wait_line(wait: Mapping[str, Any], bar: Mapping[str, Any], height: int) -> tuple[int, int]:
    return (bar["middle"], 1) if wait["kind"] == "waited" else (bar["y"], height)


def _cell_facts(cell: Cell, words: Mapping[CellState, str], today: date) -> Iterator[str]:
    yield words[cell.state]
    if cell.started_at:
        yield _day_and_time(cell.started_at, today)
    if cell.duration is not None:
        yield duration(cell.duration)
    if cell.state is CellState.FAILED and cell.reason:
        yield translated(describe_reason(cell.reason))


def _day_and_time(at: datetime, today: date) -> str:
    local = timezone.localtime(at)
    if local.date() == today:
        return translated(Text("today {at:%H:%M}", at=local))
    if local.date() == today - timedelta(days=1):
        return translated(Text("yesterday {at:%H:%M}", at=local))
    if local.date() == today + timedelta(days=1):
        return translated(Text("tomorrow {at:%H:%M}", at=local))
    return short_minute(local) if local.year == today.year else full_minute(local)


@register.filter
def first_lines(text: str, count: int) -> str:
    """Return the first lines, with an ellipsis if there are others."""
    lines = text.splitlines()
    return "\n".join(lines[:count]) + ("\n\N{HORIZONTAL ELLIPSIS}" if len(lines) > count else "")


@register.filter
def breakable(name: str) -> SafeString:
    """Let a line break after the dots and underscores of a name, so that its words stay whole."""
    parts = re.findall(r"[^._]*[._]*", name)
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in parts if part))


@register.filter
def box_of(view: str, failing: Iterable[FailingView]) -> str:
    """Return the id of the box of a failing view, given its name as the server spells it. Empty without one."""
    found = (one.box_id for one in failing if str(ViewName.parse_or_none(one.job.table_name)) == view)
    return next(found, "")


@register.filter
def ago(at: datetime) -> str:
    """Format a time as `3 hours ago`."""
    if timezone.now() - at < timedelta(minutes=1):
        return gettext("just now")
    return timesince(at, time_strings=_AGO, depth=1)

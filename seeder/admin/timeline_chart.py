"""The timeline of a run as an SVG: lanes of workers or views, and the waits before each view.

Positions are percentages, so that the drawing has the width of the page without a script.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.db.models import TextChoices
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import get_format
from django.utils.translation import gettext_lazy

from seeder.admin import page_urls
from seeder.domain.human_format import format_count, format_duration
from seeder.domain.monitoring.state_words import state_word
from seeder.domain.monitoring.time_window import TimeWindow, axis_ticks
from seeder.domain.monitoring.timeline import (
    UNPUBLISHED,
    BarState,
    Timeline,
    TimelineBar,
    describe_reason,
    most_relevant,
)
from seeder.services.translation import translated
from seeder.texts import Text

_LANE_HEIGHT, _BAR_HEIGHT = 24, 14  # pixels
_MAX_BARS = {"worker": 500, "view": 250}
_MAX_TICKS = 10
_MIN_LABEL = 3.0  # percent of the width; shorter bars have no name
_MIN_WAIT = timedelta(milliseconds=100)  # a shorter one is not mentioned
_SHORTEST_WAIT = 0.001  # seconds; a shorter one is not drawn
_BIDI_CONTROL = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # would reverse the text after it


class LanesOf(TextChoices):
    """What has a lane of its own."""

    WORKER = "worker", gettext_lazy("by worker")
    VIEW = "view", gettext_lazy("by view")


class TimelineForm(forms.Form):
    """The query parameters of the timeline. Invalid ones are ignored."""

    by = forms.ChoiceField(required=False, choices=LanesOf.choices)
    start = forms.FloatField(required=False, min_value=0)
    end = forms.FloatField(required=False, min_value=0)

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query)
        self.full_clean()
        self.lanes_of = LanesOf(self.cleaned_data.get("by") or LanesOf.WORKER)

    def window(self, duration: timedelta) -> TimeWindow:
        start, end = (self.cleaned_data.get(name) for name in ("start", "end"))
        return TimeWindow.of(duration.total_seconds(), start, end)


@dataclass(frozen=True, kw_only=True)
class _Drawing:
    """What is drawn, and where."""

    timeline: Timeline
    start: datetime  # of the run
    end: datetime  # of the run, or now
    window: TimeWindow
    critical: Collection[str]
    by_view: bool
    url_of: Callable[[str], str]  # of a view's page

    def seconds(self, instant: datetime | None) -> float:
        """Return the seconds from the run's start to an instant, or to the end if it is None."""
        return max(((instant or self.end) - self.start).total_seconds(), 0)

    def span(self, start: float, end: float) -> Mapping[str, Any]:
        """Return position and width as percentages."""
        left, right = self.window.fraction(start) * 100, self.window.fraction(end) * 100
        return {"x": f"{left:.3f}%", "width": f"{right - left:.3f}%", "is_wide": right - left >= _MIN_LABEL}

    def shows(self, start: datetime | None, end: datetime | None) -> bool:
        return self.window.is_whole or self.window.overlaps(self.seconds(start), self.seconds(end))


def timeline_chart(
    timeline: Timeline, form: TimelineForm, site: AdminSite, *, critical: Collection[str] = ()
) -> Mapping[str, Any]:
    """Return what the template draws. `critical` has the names of views on the critical path."""
    start, end = timeline.run.started_at, timeline.end
    drawing = _Drawing(
        timeline=timeline,
        start=start,
        end=end,
        window=form.window(end - start),
        critical=critical,
        by_view=form.lanes_of is LanesOf.VIEW,
        url_of=page_urls.views(site),
    )
    in_window = [bar for bar in timeline.bars if drawing.shows(bar.started_at, bar.finished_at)]
    shown = most_relevant(in_window, _MAX_BARS[form.lanes_of], preferred=critical)
    lanes = _view_lanes(shown, drawing) if drawing.by_view else _worker_lanes(timeline)
    if drawing.by_view:
        marks = [
            _mark(bar, drawing, row=number, waits=_waits_of_view(bar, drawing)) for number, bar in enumerate(shown)
        ]
    else:
        idle_since = _idle_since(timeline)
        marks = [
            _mark(bar, drawing, row=bar.lane - 1, waits=_waits_of_worker(bar, drawing, idle_since[bar.table_name]))
            for bar in shown
        ]
    return {
        "by": form.lanes_of,
        "lanes": lanes,
        "height": max(len(lanes), 1) * _LANE_HEIGHT,
        "lane_height": _LANE_HEIGHT,
        "bar_height": _BAR_HEIGHT,
        "bars": marks,
        "holds": [
            {
                **drawing.span(drawing.seconds(hold.started_at), drawing.seconds(hold.finished_at)),
                "title": translated(Text("Starts paused: {reason}", reason=describe_reason(hold.reason))),
            }
            for hold in timeline.holds
            if drawing.shows(hold.started_at, hold.finished_at)
        ],
        "ticks": [*_ticks(drawing)],
        "started_at": timeline.run.started_at,
        "shown": len(shown),
        "count": len(in_window),
        "links": _links(form, drawing.window),
        "window": drawing.window,
    }


def _worker_lanes(timeline: Timeline) -> Sequence[Mapping[str, Any]]:
    lanes = max((bar.lane for bar in timeline.bars), default=1)
    return [{"label": translated(Text("worker {number}", number=lane + 1))} for lane in range(lanes)]


def _view_lanes(bars: Sequence[TimelineBar], drawing: _Drawing) -> Sequence[Mapping[str, Any]]:
    return [
        {
            "label": _short_name(bar),
            "title": f"{bar.report_name} ({bar.table_name})",
            "url": drawing.url_of(bar.table_name),
            "state": bar.state,
        }
        for bar in bars
    ]


def _idle_since(timeline: Timeline) -> Mapping[str, datetime | None]:
    """Return since when the lane of each bar was empty before it. None if the bar before has not ended."""
    ends: dict[int, datetime | None] = {}
    found = {}
    for bar in timeline.bars:
        found[bar.table_name] = ends.get(bar.lane, timeline.run.started_at)
        ends[bar.lane] = bar.finished_at
    return found


def _mark(
    bar: TimelineBar, drawing: _Drawing, *, row: int, waits: Iterable[tuple[str, float, float]]
) -> Mapping[str, Any]:
    start = bar.started_at if drawing.by_view else bar.worker_since
    return {
        **drawing.span(drawing.seconds(start), drawing.seconds(bar.finished_at)),
        "y": _LANE_HEIGHT * row + (_LANE_HEIGHT - _BAR_HEIGHT) // 2,
        "line": _LANE_HEIGHT * row + (_LANE_HEIGHT + _BAR_HEIGHT) // 2 + 1,
        "middle": _LANE_HEIGHT * row + _LANE_HEIGHT // 2,
        "state": bar.state,
        "is_unpublished": bar.state in UNPUBLISHED,
        "is_critical": bar.table_name in drawing.critical,
        "label": _short_name(bar),
        "title": _describe_bar(bar),
        "url": drawing.url_of(bar.table_name),
        "waits": [
            {**drawing.span(start, end), "kind": kind}
            for kind, start, end in waits
            if end - start > _SHORTEST_WAIT and drawing.window.overlaps(start, end)
        ],
    }


def _waits_of_view(bar: TimelineBar, drawing: _Drawing) -> Iterator[tuple[str, float, float]]:
    """Yield kind, start and end of the waits of a ready view."""
    started = drawing.seconds(bar.started_at)
    ready = started - (bar.throttle_wait_seconds or 0) - (bar.worker_wait_seconds or 0)
    yield "waited", ready, started
    for start, end in _throttled(bar, drawing, since=ready):
        yield "throttled", start, end


def _waits_of_worker(
    bar: TimelineBar, drawing: _Drawing, idle_since: datetime | None
) -> Iterator[tuple[str, float, float]]:
    """Yield the time before a view in which the throttle kept its worker idle."""
    for start, end in _throttled(bar, drawing, since=drawing.seconds(idle_since)):
        yield "throttled", start, end


def _throttled(bar: TimelineBar, drawing: _Drawing, *, since: float) -> Iterator[tuple[float, float]]:
    """Yield when the throttle kept a view from starting.

    That was while starts were on hold. Without these times, it came last: if the worker was idle for less than half of
    the wait, which also counts while it refreshes another view, the throttle was not the reason.
    """
    started, throttled = drawing.seconds(bar.started_at), bar.throttle_wait_seconds or 0
    if throttled <= _SHORTEST_WAIT:
        return
    known = False
    for hold in drawing.timeline.holds:
        start, end = drawing.seconds(hold.started_at), min(drawing.seconds(hold.finished_at), started)
        known = known or start < end
        if max(start, since) < end:
            yield max(start, since), end
    idle = min(throttled, started - since)
    if not known and idle > throttled / 2:
        yield started - idle, started


def _short_name(bar: TimelineBar) -> str:
    """Return the name without the schema and quotes, and without characters that change the direction of text."""
    safe = _BIDI_CONTROL.sub("\N{REPLACEMENT CHARACTER}", bar.table_name)
    return re.sub(r"^.*\.(?=[^.]+$)", "", safe).strip('"')


def _describe_bar(bar: TimelineBar) -> str:
    """Return the text of the tooltip."""
    started, finished = (timezone.localtime(at) if at else None for at in (bar.started_at, bar.finished_at))
    lines: list[str] = [_BIDI_CONTROL.sub("\N{REPLACEMENT CHARACTER}", bar.table_name)]
    state = state_word(bar.state)
    if finished is None or bar.duration is None:
        lines.append(Text("{state} since {start:%H:%M:%S}", state=state, start=started))
    else:
        facts = {"state": state, "start": started, "end": finished, "duration": format_duration(bar.duration)}
        lines.append(Text("{state}: {start:%H:%M:%S} to {end:%H:%M:%S}, {duration}", **facts))
    if bar.rows and bar.state is BarState.SUCCEEDED:
        lines.append(format_count(bar.rows, "row"))
    if bar.reason and bar.state is not BarState.SKIPPED:
        lines.append(describe_reason(bar.reason))
    lines += _describe_waits(bar)
    return "\n".join(map(translated, lines))


def _describe_waits(bar: TimelineBar) -> Iterator[Text]:
    seconds = bar.worker_wait_seconds, bar.throttle_wait_seconds, bar.lock_wait_seconds
    worker, throttle, locks = (timedelta(seconds=one or 0) for one in seconds)
    if worker >= _MIN_WAIT:
        yield Text("waited for a worker: {duration}", duration=format_duration(worker))
    if throttle >= _MIN_WAIT:
        yield Text("throttled before start: {duration}", duration=format_duration(throttle))
    if locks >= _MIN_WAIT:
        yield Text("waited for locks: {duration}", duration=format_duration(locks))


def _ticks(drawing: _Drawing) -> Iterator[Mapping[str, str]]:
    """Yield the times of the clock on the axis."""
    local = timezone.localtime(drawing.timeline.run.started_at)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    clock_seconds = (local.replace(tzinfo=None) - midnight.replace(tzinfo=None)).total_seconds()
    step, ticks = axis_ticks(drawing.window, clock_seconds=clock_seconds, max_ticks=_MAX_TICKS)
    for seconds in ticks:
        at = timezone.localtime(drawing.timeline.run.started_at + timedelta(seconds=seconds))
        text = f"{at:%H:%M}" if step >= 60 else f"{at:%H:%M:%S}"
        tenth = f"{get_format('DECIMAL_SEPARATOR')}{at.microsecond // 100_000}" if step < 1 else ""
        yield {"x": f"{100 * drawing.window.fraction(seconds):.3f}%", "label": text + tenth}


def _links(form: TimelineForm, window: TimeWindow) -> Mapping[str, str]:
    """Return the query strings that change the timeline. Each keeps the rest."""

    def query(by: LanesOf, shown: TimeWindow) -> str:
        values = QueryDict(mutable=True)
        if by is not LanesOf.WORKER:
            values["by"] = by
        if not shown.is_whole:
            values["start"], values["end"] = f"{shown.start:.6g}", f"{shown.end:.6g}"
        return "?" + values.urlencode()

    by = form.lanes_of
    whole = TimeWindow.of(window.run_seconds, None, None)
    return {
        "worker": query(LanesOf.WORKER, window),
        "view": query(LanesOf.VIEW, window),
        "zoom_in": query(by, window.zoomed(0.5)),
        "zoom_out": query(by, window.zoomed(2)),
        "earlier": query(by, window.shifted(-0.5)),
        "later": query(by, window.shifted(0.5)),
        "whole": query(by, whole),
    }

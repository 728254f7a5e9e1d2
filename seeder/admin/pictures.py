"""What is drawn: the small picture of a view's latest runs, and what the charts are told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import AdminSite

from seeder.admin import places
from seeder.domain.jobs import RecentRun
from seeder.domain.outcomes import Status
from seeder.domain.timeline import Timeline, TimelineBar
from seeder.domain.units import format_count, format_duration

WORDS: Mapping[Status, str] = {
    Status.PENDING: "waits",
    Status.RUNNING: "runs",
    Status.SUCCESS: "succeeded",
    Status.ERROR: "failed",
}
_HEIGHT, _DEPTH, _STEP = 16, 6, 7  # of a success at most, of a failure, and from one run to the next


@dataclass(frozen=True, kw_only=True, slots=True)
class Stroke:
    """One run: upwards as long as it took, or downwards where it failed."""

    x: int
    y: int
    height: int
    status: Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Sparkbars:
    """A view's latest runs, the latest at the right."""

    strokes: Sequence[Stroke]
    label: str  # the same in words
    width: int
    baseline: int = _HEIGHT
    height: int = _HEIGHT + 1 + _DEPTH


def sparkbars(recent: Sequence[RecentRun], *, most: int) -> Sparkbars:
    """`recent` has the latest first."""
    longest = max((one.duration for one in recent if one.duration), default=timedelta()) or timedelta(seconds=1)
    strokes = []
    for number, one in enumerate(recent):
        tall = max(round(_HEIGHT * ((one.duration or longest) / longest)), 3)
        down = one.status is Status.ERROR
        y, height = (_HEIGHT + 1, _DEPTH) if down else (_HEIGHT - tall, tall)
        strokes.append(Stroke(x=_STEP * (most - 1 - number), y=y, height=height, status=one.status))
    return Sparkbars(strokes=strokes, label=_in_words(recent), width=_STEP * most)


def _in_words(recent: Sequence[RecentRun]) -> str:
    if not recent:
        return "It never ran"
    numbers = [(sum(one.status is status for one in recent), WORDS[status]) for status in reversed(Status)]
    told = ", ".join(f"{number} {word}" for number, word in numbers if number)
    return f"Its last {format_count(len(recent), 'run')}: {told}; the latest {WORDS[recent[0].status]}"


def timeline_chart(found: Timeline, site: AdminSite) -> Mapping[str, Any]:
    """The bars and waits of a run, in seconds from its beginning."""
    begin = found.run.started_at
    end = found.run.finished_at or max([found.now, *(bar.started_at for bar in found.bars)])

    def at(instant: datetime) -> float:
        return max((instant - begin).total_seconds(), 0)

    def bars() -> Iterator[Mapping[str, Any]]:
        seat_free: dict[int, float] = {}  # by lane: since when
        for bar in found.bars:
            free, seat_free[bar.lane] = seat_free.get(bar.lane, 0), at(bar.finished_at or end)
            yield {
                "lane": bar.lane,
                "from": at(bar.started_at),
                "to": at(bar.finished_at or end),
                "held": _held(bar, at(bar.started_at), free),
                "status": bar.status,
                "name": bar.table_name,
                "told": bar_in_words(bar),
                "url": places.view(site, bar.table_name),
            }

    return {
        "end": at(end),
        "lanes": max((bar.lane for bar in found.bars), default=1),
        "bars": list(bars()),
        "waits": [
            {"from": at(wait.started_at), "to": at(wait.finished_at or end), "reason": reason_in_words(wait.reason)}
            for wait in found.holds
        ],
    }


def _held(bar: TimelineBar, started: float, free: float) -> float:
    """For how many seconds its seat was kept idle: a view that was held back while the seat had other work waited for
    that, too, and between two views there is always a moment."""
    held = bar.throttle_wait.total_seconds() if bar.throttle_wait else 0
    idle = min(held, started - free)
    return idle if idle > max(held / 2, 0.001) else 0


def bar_in_words(bar: TimelineBar) -> str:
    took = f" after {format_duration(bar.duration)}" if bar.duration is not None else ""
    rows = f", {format_count(bar.rows, 'row')}" if bar.rows and bar.status is Status.SUCCESS else ""
    why = f", {reason_in_words(bar.reason)}" if bar.reason else ""
    return f"{bar.report_name}: {WORDS[bar.status]}{took}{rows}{why}"


def reason_in_words(reason: str) -> str:
    return {
        "server_busy": "the throttle: the server was busy",
        "circuit_open": "the circuit breaker was open",
    }.get(reason, reason.replace("_", " "))


def history_chart(recent: Sequence[RecentRun], site: AdminSite) -> Sequence[Mapping[str, Any]]:
    """The runs of a view, the earliest first."""
    return [
        {
            "at": one.start_time.isoformat(),
            "took": one.duration.total_seconds() if one.duration is not None else None,
            "rows": one.rows if one.status is Status.SUCCESS else None,
            "status": one.status,
            "told": f"{WORDS[one.status]}{f' after {format_duration(one.duration)}' if one.duration is not None else ''}",
            "url": places.run(site, one.run_id),
        }
        for one in reversed(recent)
    ]

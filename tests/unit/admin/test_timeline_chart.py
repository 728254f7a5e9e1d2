"""What the timeline of a run draws, and where."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.admin import site
from django.http import QueryDict

from seeder.admin.timeline_chart import TimelineForm, timeline_chart
from seeder.domain.monitoring.timeline import HoldInterval, RunTotals, Timeline, TimelineBar
from seeder.domain.outcomes import Status

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
RUN = RunTotals(
    run_id="r",
    description="every report",
    requested_by="a test",
    started_at=NOON,
    finished_at=NOON + timedelta(seconds=100),
    stopped_by=None,
    workers=2,
    manifests=3,
    succeeded=3,
    failed=0,
)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def bar(lane: int, started: float, finished: float | None, **values: Any) -> TimelineBar:
    bar = TimelineBar(
        table_name=f"reporting.v{started:.0f}",
        report_name="A",
        status=Status.RUNNING if finished is None else Status.SUCCESS,
        started_at=at(started),
        finished_at=None if finished is None else at(finished),
        rows=1,
        lane=lane,
    )
    return replace(bar, **values)


def hold(started: float, finished: float | None) -> HoldInterval:
    end = None if finished is None else at(finished)
    return HoldInterval(database="default", reason="circuit_open", started_at=at(started), finished_at=end)


def chart_of(*bars: TimelineBar, query: str = "", run: RunTotals = RUN, holds: tuple[HoldInterval, ...] = ()) -> Any:
    timeline = Timeline(run=run, now=at(50), bars=bars, pending_count=0, holds=holds)
    return timeline_chart(timeline, TimelineForm(QueryDict(query)), site)


def spans(marks: list[Any]) -> list[tuple[float, float]]:
    """Return start and end in percent of the width."""
    return [(float(one["x"][:-1]), float(one["x"][:-1]) + float(one["width"][:-1])) for one in marks]


def waits(chart: Any) -> list[list[tuple[str, float, float]]]:
    return [
        [(wait["kind"], *span) for wait, span in zip(one["waits"], spans(one["waits"]), strict=True)]
        for one in chart["bars"]
    ]


def test_bar_spans_start_to_finish_or_now() -> None:
    assert spans(chart_of(bar(1, 10, 30), bar(2, 20, 90))["bars"]) == [(10, 30), (20, 90)]
    assert spans(chart_of(bar(1, 10, None), run=replace(RUN, finished_at=None))["bars"]) == [(20, 100)]


def test_member_of_a_group_is_drawn_after_the_member_before_it() -> None:
    follower = bar(1, 10, 40, previous_member_ended_at=at(30))
    assert spans(chart_of(follower)["bars"]) == [(30, 40)]
    assert spans(chart_of(follower, query="by=view")["bars"]) == [(10, 40)]


def test_throttle_wait_is_limited_to_idle_time_of_worker() -> None:
    first = bar(1, 10, 20)
    assert waits(chart_of(first, bar(1, 80, 90, throttle_wait_seconds=60))) == [[], [("throttled", 20, 80)]]
    assert waits(chart_of(first, bar(1, 80, 90, throttle_wait_seconds=65))) == [[], [("throttled", 20, 80)]]
    busy = bar(1, 10, 78)
    assert waits(chart_of(busy, bar(1, 80, 90, throttle_wait_seconds=60))) == [[], []]


def test_throttle_wait_is_drawn_where_starts_were_on_hold() -> None:
    bars = bar(1, 10, 40), bar(1, 80, 90, throttle_wait_seconds=20, worker_wait_seconds=30)
    by_worker = chart_of(*bars, holds=(hold(35, 50), hold(60, 65)))
    assert waits(by_worker) == [[], [("throttled", 40, 50), ("throttled", 60, 65)]]
    by_view = chart_of(*bars, query="by=view", holds=(hold(20, 50), hold(60, 65)))
    assert waits(by_view) == [[], [("waited", 30, 80), ("throttled", 30, 50), ("throttled", 60, 65)]]


def test_hold_without_end_ends_with_run() -> None:
    assert spans(chart_of(holds=(hold(40, None),))["holds"]) == [(40, 100)]


def test_zoomed_timeline_has_only_what_happened_then() -> None:
    chart = chart_of(bar(1, 10, 30), bar(2, 20, 90), bar(1, 60, 90), query="start=0&end=50")
    assert spans(chart["bars"]) == [(20, 60), (40, 100)]
    assert [tick["label"] for tick in chart["ticks"]][:3] == ["12:00:00", "12:00:05", "12:00:10"]
    assert chart["links"]["zoom_in"] == "?start=12.5&end=37.5"
    assert chart["links"]["view"] == "?by=view&start=0&end=50"
    assert chart["links"]["whole"] == "?"
    for invalid in ("start=9&end=5", "start=nan&end=inf", "start=x", "by=x&start=-1&end=7"):
        assert spans(chart_of(bar(1, 10, 30), query=invalid)["bars"]) == [(10, 30)]


def test_most_urgent_and_longest_bars_are_drawn_in_their_order() -> None:
    bars = [bar(1, number, number + 0.1 + number % 2, status=Status.SUCCESS) for number in range(300)]
    bars[42] = replace(bars[42], status=Status.ERROR)
    run = replace(RUN, finished_at=at(1000))
    chart = chart_of(*bars, query="by=view", run=run)
    assert (chart["shown"], chart["count"], len(chart["lanes"])) == (250, 300, 250)
    names = [lane["label"] for lane in chart["lanes"]]
    assert names == sorted(names, key=lambda name: int(name[1:]))
    assert {f"v{number}" for number in range(1, 300, 2)} | {"v42"} <= set(names)
    assert chart_of(*bars, run=run)["shown"] == 300


def test_direction_of_text_in_a_name_is_not_changed() -> None:
    [drawn] = chart_of(bar(1, 10, 30, table_name='reporting."turn\u202eed"'))["bars"]
    assert drawn["label"] == "turn\ufffded"
    assert "\u202e" not in drawn["title"]

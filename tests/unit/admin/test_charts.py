"""What is drawn says the same as the figures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.contrib.admin import site

from seeder.admin.charts import sparkbars, timeline_chart
from seeder.domain.monitoring.report_jobs import RecentRun
from seeder.domain.monitoring.timeline import HoldInterval, RunTotals, Timeline, TimelineBar
from seeder.domain.outcomes import Status

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def recent(status: Status, took: float | None) -> RecentRun:
    return RecentRun(
        run_id="r", status=status, start_time=NOON, finish_time=None if took is None else at(took), rows=None
    )


def test_a_success_goes_up_as_long_as_it_took_and_a_failure_down() -> None:
    latest_first = [
        recent(Status.RUNNING, None),
        recent(Status.ERROR, 2),
        recent(Status.SUCCESS, 4),
        recent(Status.SUCCESS, 8),
    ]
    picture = sparkbars(latest_first, max_bars=14)
    running, failed, half, whole = picture.bars
    assert running.x > failed.x > half.x > whole.x
    assert failed.y > picture.baseline >= half.y + half.height == whole.y + whole.height
    assert (whole.height, half.height) == (16, 8)
    assert picture.label == "Last 4 runs: 1 failed, 2 succeeded, 1 running; latest: running"
    assert sparkbars([], max_bars=14).label == "Not run yet"
    assert sparkbars([recent(Status.SUCCESS, 0)], max_bars=14).bars[0].height == 16


def bar(lane: int, started: float, finished: float | None, held: float = 0) -> TimelineBar:
    return TimelineBar(
        table_name="reporting.a",
        report_name="A",
        agencies=["demo"],
        status=Status.RUNNING if finished is None else Status.SUCCESS,
        started_at=at(started),
        finished_at=None if finished is None else at(finished),
        worker_number=lane,
        throttle_wait=timedelta(seconds=held),
        lock_wait=None,
        reason=None,
        rows=1,
        lane=lane,
    )


RUN = RunTotals(
    run_id="r",
    description="every report",
    requested_by="a test",
    started_at=NOON,
    finished_at=at(100),
    stopped_by=None,
    workers=2,
    manifests=3,
    succeeded=3,
    failed=0,
)


def drawn(
    *bars: TimelineBar, run: RunTotals = RUN, waits: tuple[HoldInterval, ...] = ()
) -> list[tuple[float, float, float]]:
    chart = timeline_chart(Timeline(run=run, now=at(50), bars=bars, pending_count=0, holds=waits), site)
    return [(one["from"], one["to"], one["throttleWait"]) for one in chart["bars"]]


def test_a_bar_stands_where_its_seat_was_at_work() -> None:
    assert drawn(bar(1, 10, 30), bar(2, 20, 90)) == [(10, 30, 0), (20, 90, 0)]


def test_a_bar_that_runs_reaches_to_now() -> None:
    assert drawn(bar(1, 10, None), run=replace(RUN, finished_at=None)) == [(10, 50, 0)]


def test_a_wait_is_drawn_for_as_long_as_the_seat_was_idle_for_it() -> None:
    assert drawn(bar(1, 10, 20), bar(1, 80, 90, held=60)) == [(10, 20, 0), (80, 90, 60)]
    assert drawn(bar(1, 10, 20), bar(1, 80, 90, held=65)) == [(10, 20, 0), (80, 90, 60)]
    assert drawn(bar(1, 10, 78), bar(1, 80, 90, held=60)) == [(10, 78, 0), (80, 90, 0)]


def test_a_wait_whose_end_nobody_saw_ends_with_the_run() -> None:
    wait = HoldInterval(database="default", reason="circuit_open", started_at=at(40), finished_at=None)
    chart = timeline_chart(Timeline(run=RUN, now=at(500), bars=[], pending_count=0, holds=[wait]), site)
    assert chart["holds"] == [{"from": 40, "to": 100, "reason": "the circuit breaker was open"}]

"""The data of sparkbars."""

from datetime import UTC, datetime, timedelta

from seeder.admin.charts import sparkbars
from seeder.domain.monitoring.report_jobs import RecentRun
from seeder.domain.outcomes import Status

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def recent(status: Status, duration: float | None) -> RecentRun:
    return RecentRun(
        run_id="r", status=status, start_time=NOON, finish_time=None if duration is None else at(duration), rows=None
    )


def test_sparkbar_success_has_height_of_duration() -> None:
    latest_first = [
        recent(Status.RUNNING, None),
        recent(Status.ERROR, 2),
        recent(Status.SUCCESS, 4),
        recent(Status.SUCCESS, 8),
    ]
    chart = sparkbars(latest_first, max_bars=14)
    running, failed, half, full = chart["bars"]
    assert running["x"] > failed["x"] > half["x"] > full["x"]
    assert failed["y"] > chart["baseline"] >= half["y"] + half["height"] == full["y"] + full["height"]
    assert (full["height"], half["height"]) == (16, 8)
    assert chart["label"] == "Last 4 runs: 1 failed, 2 succeeded, 1 running; latest: running"
    assert sparkbars([], max_bars=14)["label"] == "Not run yet"
    assert sparkbars([recent(Status.SUCCESS, 0)], max_bars=14)["bars"][0]["height"] == 16

"""The list of the critical path."""

from datetime import UTC, datetime, timedelta

from seeder.admin.path_section import LeftOut, path_section
from seeder.domain.human_format import format_count
from seeder.domain.monitoring.critical_path import critical_path
from seeder.domain.monitoring.timeline import TimelineBar
from seeder.domain.outcomes import Status

START = datetime(2026, 12, 1, 2, tzinfo=UTC)


def listed(durations: list[int]) -> list[str]:
    """Return the names of listed views of one worker, and the texts about others."""
    bars, at = [], START
    for number, seconds in enumerate(durations):
        end = at + timedelta(seconds=seconds)
        bars.append(
            TimelineBar(
                table_name=str(number),
                report_name=str(number),
                status=Status.SUCCESS,
                started_at=at,
                finished_at=end,
                worker_wait_seconds=(at - START).total_seconds(),
                rows=1,
                lane=1,
            )
        )
        at = end
    path = critical_path(bars, {}, started_at=START, finished_at=at, is_complete=True)
    items = path_section(path)["path_items"]
    return [
        f"{format_count(item.count, 'shorter view')}, {item.duration.total_seconds():.0f} s"
        if isinstance(item, LeftOut)
        else item.bar.table_name
        for item in items
    ]


def test_short_views_of_a_long_path_are_counted() -> None:
    assert listed([5] * 12) == [str(number) for number in range(12)]
    shown = listed([1, *[9] * 4, 1, *[9] * 5, 1, 2, 1, 9, 1])
    assert shown == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "3 shorter views, 4 s", "14", "15"]
    assert path_section(None) == {}

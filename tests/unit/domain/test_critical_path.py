"""What decided how long a run took, and how long it could have taken."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from seeder.domain.monitoring.critical_path import CriticalPath, WaitedFor, critical_path
from seeder.domain.monitoring.timeline import TimelineBar, assign_lanes
from seeder.domain.outcomes import Status

START = datetime(2026, 12, 1, 2, tzinfo=UTC)


def bar(name: str, worker: int, started: float, finished: float, **values: Any) -> TimelineBar:
    return TimelineBar(
        table_name=name,
        report_name=name,
        status=Status.SUCCESS,
        started_at=START + timedelta(seconds=started),
        finished_at=START + timedelta(seconds=finished),
        worker_number=worker,
        rows=1,
        **{"worker_wait_seconds": 0, "throttle_wait_seconds": 0, **values},
    )


def in_lanes(bars: Iterable[TimelineBar]) -> list[TimelineBar]:
    by_name = {one.table_name: one for one in bars}
    lanes = assign_lanes(
        (
            one.started_at.timestamp(),
            one.worker_number or 0,
            (one.finished_at or START).timestamp(),
            name,
            one.consistent_group,
        )
        for name, one in by_name.items()
    )
    return [
        replace(
            by_name[name],
            lane=lane,
            previous_member_ended_at=None if end is None else datetime.fromtimestamp(end, UTC),
        )
        for name, (lane, end) in lanes.items()
    ]


def path_of(*bars: TimelineBar, end: float, reads: Mapping[str, set[str]] | None = None) -> CriticalPath:
    finished_at = START + timedelta(seconds=end)
    path = critical_path(
        in_lanes(bars), reads or {}, started_at=START, finished_at=finished_at, is_complete=reads is not None
    )
    assert path is not None
    spent = path.working + path.throttled + path.locked + path.other
    assert spent == path.duration
    return path


def chain(path: CriticalPath) -> list[tuple[str, str]]:
    return [(step.bar.table_name, str(step.waited_for)) for step in path.steps]


def seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def test_chain_goes_back_over_dependencies() -> None:
    bars = bar("a", 1, 2, 10), bar("b", 2, 2, 30), bar("c", 1, 30, 40), bar("d", 2, 30.1, 35)
    path = path_of(*bars, end=41, reads={"c": {"a", "b"}, "d": {"b"}})
    assert chain(path) == [("b", "nothing"), ("c", "dependency")]
    assert path.steps[1].previous == path.steps[0].bar
    assert (seconds(path.working), seconds(path.other)) == (38, 3)
    assert seconds(path.without_waits) == 41


def test_chain_goes_back_over_the_view_that_had_the_worker() -> None:
    bars = bar("a", 1, 0, 10), bar("b", 1, 10, 30, worker_wait_seconds=10), bar("c", 2, 0, 12)
    path = path_of(*bars, end=30, reads={})
    assert chain(path) == [("a", "nothing"), ("b", "worker")]
    assert seconds(path.without_waits) == 20
    assert (seconds(path.with_same_workers), path.workers) == (21, 2)


def test_what_ended_last_counts_of_dependency_and_worker() -> None:
    bars = bar("a", 2, 0, 14.5), bar("b", 1, 0, 15), bar("c", 1, 15, 20, worker_wait_seconds=0.5)
    assert chain(path_of(*bars, end=20, reads={"c": {"a"}})) == [("b", "nothing"), ("c", "worker")]
    ready_later = bars[0], bars[1], bar("c", 1, 15, 20, worker_wait_seconds=0.01)
    assert chain(path_of(*ready_later, end=20, reads={"c": {"b"}}))[0] == ("b", "nothing")


def test_pauses_and_lock_waits_are_no_work() -> None:
    bars = bar("a", 1, 0, 10), bar("b", 1, 40, 60, throttle_wait_seconds=30, lock_wait_seconds=5)
    path = path_of(*bars, end=60, reads={"b": {"a"}})
    assert chain(path) == [("a", "nothing"), ("b", "dependency")]
    assert (seconds(path.throttled), seconds(path.locked), seconds(path.working)) == (30, 5, 25)
    assert seconds(path.without_waits) == 25
    paused_at_once = path_of(bar("a", 1, 20, 25, throttle_wait_seconds=18), end=25, reads={})
    assert chain(paused_at_once) == [("a", "nothing")]
    assert seconds(paused_at_once.throttled) == 18


def test_chain_ends_at_a_view_that_is_not_known() -> None:
    path = path_of(bar("a", 1, 0, 5), bar("b", 2, 20, 30), end=30)
    assert chain(path) == [("b", "unknown")]
    assert (seconds(path.other), path.without_waits, path.with_same_workers) == (20, None, None)
    hidden = path_of(bar("a", 1, 0, 5), bar("b", 1, 20, 30, worker_wait_seconds=20), end=30)
    assert chain(hidden) == [("b", WaitedFor.UNKNOWN)]


def test_dependency_that_was_added_later_does_not_count() -> None:
    assert chain(path_of(bar("a", 1, 0, 5), bar("b", 2, 0, 6), end=6, reads={"b": {"a"}})) == [("b", "nothing")]


def test_members_of_a_group_follow_each_other() -> None:
    """Their starts are that of the group's snapshot."""
    bars = bar("a", 1, 0, 5, consistent_group="g"), bar("b", 1, 0, 9, consistent_group="g"), bar("c", 2, 0, 6)
    path = path_of(*bars, end=9, reads={})
    assert seconds(path.working) == 9
    assert chain(path) == [("a", "nothing"), ("b", "group")]
    assert seconds(path.without_waits) == 9


def test_run_without_views_has_no_path() -> None:
    assert critical_path([], {}, started_at=START, finished_at=START, is_complete=True) is None

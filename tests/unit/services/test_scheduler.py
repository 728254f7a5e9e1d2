"""The runner with plain callables. Threads meet at events and barriers; nothing here waits by sleeping."""

from collections.abc import Callable
from threading import Barrier, Event, Lock, get_ident
from time import monotonic

import pytest

from seeder.domain.outcomes import RefreshResult
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.run_events import RunEvent, RunWarning, ViewEnded, ViewStarted
from seeder.services.run.database_scheduler import RunCallbacks
from seeder.services.run.scheduler import run_plan
from seeder.services.run.worker_pool import WorkerLost
from seeder.services.stop_signal import StopSignal
from tests.unit.domain.plan_values import plan
from tests.unit.services.run_callbacks import FAILED_RESULT, REFRESHED, run_callbacks, start_policy


def work(refresh: Callable[[PlannedView], RefreshResult], **others: Callable[..., object]) -> RunCallbacks:
    return run_callbacks(lambda view, _: refresh(view), **others)


def at_once(
    plan: RefreshPlan, seats: int, work: RunCallbacks, stop: StopSignal | None = None
) -> dict[PlannedView, RefreshResult]:
    return run_plan(plan, policy=start_policy(workers=seats), callbacks=work, stop=stop or StopSignal())


def go(
    plan: RefreshPlan, refresh: Callable[[str], RefreshResult], *, seats: int = 2, stop: StopSignal | None = None
) -> list[str]:
    """Run a plan; what was told, as `+a` for a start and `-a` for an end."""
    told: list[str] = []

    def hear(event: RunEvent) -> None:
        match event:
            case ViewStarted(view=view):
                told.append(f"+{view.key.name.name}")
            case ViewEnded(view=view):
                told.append(f"-{view.key.name.name}")

    def by_name(view: PlannedView) -> RefreshResult:
        return refresh(view.key.name.name)

    at_once(plan, seats, work(by_name, on_event=hear), stop)
    return told


def test_one_seat_takes_the_views_in_the_order_of_the_plan() -> None:
    drawn = plan("a", "b", "c", seconds={"a": 1, "b": 3, "c": 2})
    assert go(drawn, lambda _: REFRESHED, seats=1) == ["+b", "-b", "+c", "-c", "+a", "-a"]


def test_as_many_views_run_at_once_as_there_are_seats() -> None:
    together = Barrier(3, timeout=10)

    def refresh(_: str) -> RefreshResult:
        together.wait()
        return REFRESHED

    assert len(go(plan(*"abcdef"), refresh, seats=3)) == 12


def test_no_more_views_run_at_once_than_there_are_seats() -> None:
    lock, running, most, pairs = Lock(), set[str](), 0, Barrier(2, timeout=10)

    def refresh(name: str) -> RefreshResult:
        nonlocal most
        with lock:
            running.add(name)
            most = max(most, len(running))
        pairs.wait()  # each stays until another has come
        with lock:
            running.remove(name)
        return REFRESHED

    go(plan(*"abcdefghij"), refresh, seats=2)
    assert most <= 2


def test_a_view_starts_as_soon_as_what_it_reads_has_ended_whatever_else_runs() -> None:
    reader_ran = Event()

    def refresh(name: str) -> RefreshResult:
        if name == "slow":
            assert reader_ran.wait(10)
        if name == "reader":
            reader_ran.set()
        return REFRESHED

    told = go(plan("read", "reader", "slow", depends_on={"reader": "read"}), refresh)
    assert told.index("-read") < told.index("+reader") < told.index("-reader") < told.index("-slow")


def test_a_view_that_reads_a_failed_one_is_refreshed_all_the_same() -> None:
    told = go(
        plan("read", "reader", depends_on={"reader": "read"}),
        lambda name: FAILED_RESULT if name == "read" else REFRESHED,
    )
    assert told == ["+read", "-read", "+reader", "-reader"]


def test_among_views_that_become_ready_the_most_urgent_goes_first() -> None:
    drawn = plan(*"rabcd", depends_on=dict.fromkeys("abcd", "r"), seconds={"r": 1, "a": 2, "b": 9, "c": 5, "d": 7})
    started = [name for name in go(drawn, lambda _: REFRESHED, seats=1) if name.startswith("+")]
    assert started == ["+r", "+b", "+d", "+c", "+a"]


def test_a_surprise_starts_nothing_new_waits_for_what_runs_and_is_raised() -> None:
    other_may_end, ended = Event(), list[str]()

    def refresh(name: str) -> RefreshResult:
        if name == "a":
            other_may_end.set()
            raise ZeroDivisionError
        assert other_may_end.wait(10)
        ended.append(name)
        return REFRESHED

    with pytest.raises(ZeroDivisionError):
        go(plan("a", "b", "c"), refresh)
    assert ended in ([], ["b"])


def test_a_seat_that_cannot_work_leaves_its_view_to_the_others() -> None:
    refused, said, told = dict[str, int](), Event(), list[str]()

    def refresh(_: PlannedView) -> RefreshResult:
        if refused.setdefault("seat", get_ident()) == get_ident():
            raise WorkerLost("too many clients already")
        assert said.wait(10)
        return REFRESHED

    def hear(event: RunEvent) -> None:
        if isinstance(event, RunWarning):
            told.append(f"{event.database}: {event.message}")
            said.set()

    results = at_once(plan(*"abcdefgh"), 2, work(refresh, on_event=hear))
    assert sorted(view.key.name.name for view in results) == list("abcdefgh")
    assert told == ["default: One seat less in default, 1 left: too many clients already"]


def test_where_no_seat_can_work_the_run_ends_with_the_reason() -> None:
    def refresh(_: PlannedView) -> RefreshResult:
        raise WorkerLost from ConnectionRefusedError("down")

    with pytest.raises(ConnectionRefusedError, match="down"):
        at_once(plan(*"abcd"), 3, work(refresh))


def test_each_seat_gives_back_what_its_thread_holds() -> None:
    together, left, worked = Barrier(2, timeout=10), set[int](), set[int]()

    def refresh(_: PlannedView) -> RefreshResult:
        together.wait()
        worked.add(get_ident())
        return REFRESHED

    at_once(plan("a", "b"), 2, work(refresh, close_worker=lambda: left.add(get_ident())))
    assert left == worked
    assert len(left) == 2


def test_an_empty_plan_ends_at_once() -> None:
    assert go(RefreshPlan(), lambda _: REFRESHED) == []


def test_a_stop_cancels_what_runs_and_starts_nothing_more() -> None:
    stop, cancelled = StopSignal(), Event()

    def refresh(view: PlannedView) -> RefreshResult:
        stop.request("SIGTERM")
        assert cancelled.wait(10)
        raise InterruptedError

    drawn = plan("a", "b", "c", seconds={"a": 3, "b": 2, "c": 1})
    started: list[str] = []

    def hear(event: RunEvent) -> None:
        if isinstance(event, ViewStarted):
            started.append(event.view.key.name.name)

    assert at_once(drawn, 1, work(refresh, cancel=cancelled.set, on_event=hear), stop) == {}
    assert started == ["a"]


def test_a_view_that_ends_by_itself_during_a_stop_keeps_its_result() -> None:
    stop = StopSignal()

    def refresh(_: str) -> RefreshResult:
        stop.request("SIGINT")
        return REFRESHED

    assert go(plan("a", "b", seconds={"a": 2, "b": 1}), refresh, seats=1, stop=stop) == ["+a", "-a"]


def test_a_cancel_that_came_too_early_is_repeated() -> None:
    stop, cancels, third = StopSignal(), list[int](), Event()

    def refresh(_: PlannedView) -> RefreshResult:
        stop.request("SIGTERM")
        assert third.wait(10)
        raise InterruptedError

    def cancel() -> None:
        cancels.append(1)
        if len(cancels) == 3:
            third.set()

    assert at_once(plan("a"), 1, work(refresh, cancel=cancel), stop) == {}
    assert len(cancels) >= 3


def test_a_refresh_that_cannot_be_cancelled_is_left_behind() -> None:
    stop, never = StopSignal(), Event()

    def refresh(_: PlannedView) -> RefreshResult:
        stop.request("SIGTERM")
        never.wait(60)
        return REFRESHED

    before = monotonic()
    assert at_once(plan("a"), 1, work(refresh), stop) == {}
    assert monotonic() - before < 30
    never.set()


def test_a_stop_asked_for_before_the_run_starts_nothing() -> None:
    stop = StopSignal()
    stop.request("SIGINT")
    assert go(plan("a"), lambda _: REFRESHED, stop=stop) == []


def test_the_thread_that_decides_does_its_own_work_while_a_view_takes_long() -> None:
    beaten = Event()

    def refresh(_: PlannedView) -> RefreshResult:
        assert beaten.wait(10)
        return REFRESHED

    assert len(at_once(plan("a"), 1, work(refresh, on_tick=beaten.set))) == 1

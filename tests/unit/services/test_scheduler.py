"""The scheduler with plain callables. Threads meet at events and barriers; no test sleeps."""

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


def callbacks_with(refresh: Callable[[PlannedView], RefreshResult], **others: Callable[..., object]) -> RunCallbacks:
    return run_callbacks(lambda view, _: refresh(view), **others)


def run_to_end(
    plan: RefreshPlan, workers: int, callbacks_with: RunCallbacks, stop: StopSignal | None = None
) -> dict[PlannedView, RefreshResult]:
    return run_plan(plan, policy=start_policy(workers=workers), callbacks=callbacks_with, stop=stop or StopSignal())


def run_log(
    plan: RefreshPlan, refresh: Callable[[str], RefreshResult], *, workers: int = 2, stop: StopSignal | None = None
) -> list[str]:
    """Run a plan. Return its events: `+a` for a start, `-a` for an end."""
    log: list[str] = []

    def on_event(event: RunEvent) -> None:
        match event:
            case ViewStarted(view=view):
                log.append(f"+{view.key.name.name}")
            case ViewEnded(view=view):
                log.append(f"-{view.key.name.name}")

    def by_name(view: PlannedView) -> RefreshResult:
        return refresh(view.key.name.name)

    run_to_end(plan, workers, callbacks_with(by_name, on_event=on_event), stop)
    return log


def test_one_worker_follows_the_order_of_the_plan() -> None:
    refresh_plan = plan("a", "b", "c", seconds={"a": 1, "b": 3, "c": 2})
    assert run_log(refresh_plan, lambda _: REFRESHED, workers=1) == ["+b", "-b", "+c", "-c", "+a", "-a"]


def test_as_many_views_run_concurrently_as_there_are_workers() -> None:
    all_running = Barrier(3, timeout=10)

    def refresh(_: str) -> RefreshResult:
        all_running.wait()
        return REFRESHED

    assert len(run_log(plan(*"abcdef"), refresh, workers=3)) == 12


def test_concurrent_views_never_exceed_the_workers() -> None:
    lock, running, max_running, pairs = Lock(), set[str](), 0, Barrier(2, timeout=10)

    def refresh(name: str) -> RefreshResult:
        nonlocal max_running
        with lock:
            running.add(name)
            max_running = max(max_running, len(running))
        pairs.wait()  # each view waits for another one
        with lock:
            running.remove(name)
        return REFRESHED

    run_log(plan(*"abcdefghij"), refresh, workers=2)
    assert max_running <= 2


def test_view_starts_as_soon_as_its_dependencies_have_ended() -> None:
    reader_ran = Event()

    def refresh(name: str) -> RefreshResult:
        if name == "slow":
            assert reader_ran.wait(10)
        if name == "reader":
            reader_ran.set()
        return REFRESHED

    log = run_log(plan("read", "reader", "slow", depends_on={"reader": "read"}), refresh)
    assert log.index("-read") < log.index("+reader") < log.index("-reader") < log.index("-slow")


def test_view_is_refreshed_although_its_dependency_failed() -> None:
    log = run_log(
        plan("read", "reader", depends_on={"reader": "read"}),
        lambda name: FAILED_RESULT if name == "read" else REFRESHED,
    )
    assert log == ["+read", "-read", "+reader", "-reader"]


def test_most_urgent_of_the_ready_views_starts_first() -> None:
    refresh_plan = plan(
        *"rabcd", depends_on=dict.fromkeys("abcd", "r"), seconds={"r": 1, "a": 2, "b": 9, "c": 5, "d": 7}
    )
    started = [name for name in run_log(refresh_plan, lambda _: REFRESHED, workers=1) if name.startswith("+")]
    assert started == ["+r", "+b", "+d", "+c", "+a"]


def test_unexpected_error_stops_new_views_and_is_raised() -> None:
    error_raised, ended = Event(), list[str]()

    def refresh(name: str) -> RefreshResult:
        if name == "a":
            error_raised.set()
            raise ZeroDivisionError
        assert error_raised.wait(10)
        ended.append(name)
        return REFRESHED

    with pytest.raises(ZeroDivisionError):
        run_log(plan("a", "b", "c"), refresh)
    assert ended in ([], ["b"])


def test_lost_worker_leaves_its_view_to_the_others() -> None:
    lost_worker, warned, log = dict[str, int](), Event(), list[str]()

    def refresh(_: PlannedView) -> RefreshResult:
        if lost_worker.setdefault("thread", get_ident()) == get_ident():
            raise WorkerLost("too many clients already")
        assert warned.wait(10)
        return REFRESHED

    def on_event(event: RunEvent) -> None:
        if isinstance(event, RunWarning):
            log.append(f"{event.database}: {event.message}")
            warned.set()

    results = run_to_end(plan(*"abcdefgh"), 2, callbacks_with(refresh, on_event=on_event))
    assert sorted(view.key.name.name for view in results) == list("abcdefgh")
    assert log == ["default: One worker fewer in default, 1 left: too many clients already"]


def test_run_without_workers_ends_with_the_reason() -> None:
    def refresh(_: PlannedView) -> RefreshResult:
        raise WorkerLost from ConnectionRefusedError("down")

    with pytest.raises(ConnectionRefusedError, match="down"):
        run_to_end(plan(*"abcd"), 3, callbacks_with(refresh))


def test_each_worker_closes_its_connections() -> None:
    all_running, closed, worked = Barrier(2, timeout=10), set[int](), set[int]()

    def refresh(_: PlannedView) -> RefreshResult:
        all_running.wait()
        worked.add(get_ident())
        return REFRESHED

    run_to_end(plan("a", "b"), 2, callbacks_with(refresh, close_worker=lambda: closed.add(get_ident())))
    assert closed == worked
    assert len(closed) == 2


def test_empty_plan_ends_immediately() -> None:
    assert run_log(RefreshPlan(), lambda _: REFRESHED) == []


def test_stop_cancels_running_views_and_starts_no_more() -> None:
    stop, cancelled = StopSignal(), Event()

    def refresh(view: PlannedView) -> RefreshResult:
        stop.request("SIGTERM")
        assert cancelled.wait(10)
        raise InterruptedError

    refresh_plan = plan("a", "b", "c", seconds={"a": 3, "b": 2, "c": 1})
    started: list[str] = []

    def on_event(event: RunEvent) -> None:
        if isinstance(event, ViewStarted):
            started.append(event.view.key.name.name)

    assert run_to_end(refresh_plan, 1, callbacks_with(refresh, cancel=cancelled.set, on_event=on_event), stop) == {}
    assert started == ["a"]


def test_view_that_ends_during_a_stop_keeps_its_result() -> None:
    stop = StopSignal()

    def refresh(_: str) -> RefreshResult:
        stop.request("SIGINT")
        return REFRESHED

    assert run_log(plan("a", "b", seconds={"a": 2, "b": 1}), refresh, workers=1, stop=stop) == ["+a", "-a"]


def test_early_cancel_is_repeated() -> None:
    stop, cancels, third_cancel = StopSignal(), list[int](), Event()

    def refresh(_: PlannedView) -> RefreshResult:
        stop.request("SIGTERM")
        assert third_cancel.wait(10)
        raise InterruptedError

    def cancel() -> None:
        cancels.append(1)
        if len(cancels) == 3:
            third_cancel.set()

    assert run_to_end(plan("a"), 1, callbacks_with(refresh, cancel=cancel), stop) == {}
    assert len(cancels) >= 3


def test_refresh_that_cannot_be_cancelled_is_abandoned() -> None:
    stop, test_ended = StopSignal(), Event()

    def refresh(_: PlannedView) -> RefreshResult:
        stop.request("SIGTERM")
        test_ended.wait(60)
        return REFRESHED

    started = monotonic()
    assert run_to_end(plan("a"), 1, callbacks_with(refresh), stop) == {}
    assert monotonic() - started < 30
    test_ended.set()


def test_stop_before_the_run_starts_nothing() -> None:
    stop = StopSignal()
    stop.request("SIGINT")
    assert run_log(plan("a"), lambda _: REFRESHED, stop=stop) == []


def test_tick_is_called_while_a_view_runs() -> None:
    ticked = Event()

    def refresh(_: PlannedView) -> RefreshResult:
        assert ticked.wait(10)
        return REFRESHED

    assert len(run_to_end(plan("a"), 1, callbacks_with(refresh, on_tick=ticked.set))) == 1

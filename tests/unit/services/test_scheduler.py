"""The scheduler with plain callables. Threads synchronise by events and barriers, never by sleeping."""

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


def callbacks(refresh: Callable[[PlannedView], RefreshResult], **overrides: Callable[..., object]) -> RunCallbacks:
    return run_callbacks(lambda view, _: refresh(view), **overrides)


def run(
    plan: RefreshPlan, workers: int, callbacks: RunCallbacks, stop: StopSignal | None = None
) -> dict[PlannedView, RefreshResult]:
    return run_plan(plan, policy=start_policy(workers=workers), callbacks=callbacks, stop=stop or StopSignal())


def starts_and_ends(
    plan: RefreshPlan, refresh: Callable[[str], RefreshResult], *, workers: int = 2, stop: StopSignal | None = None
) -> list[str]:
    """Run a plan. Return `+a` for the start and `-a` for the end of view `a`."""
    reported: list[str] = []

    def on_event(event: RunEvent) -> None:
        match event:
            case ViewStarted(view=view):
                reported.append(f"+{view.key.name.name}")
            case ViewEnded(view=view):
                reported.append(f"-{view.key.name.name}")

    def refresh_by_name(view: PlannedView) -> RefreshResult:
        return refresh(view.key.name.name)

    run(plan, workers, callbacks(refresh_by_name, on_event=on_event), stop)
    return reported


def test_single_worker_refreshes_in_the_order_of_the_plan() -> None:
    ordered = plan("a", "b", "c", seconds={"a": 1, "b": 3, "c": 2})
    assert starts_and_ends(ordered, lambda _: REFRESHED, workers=1) == ["+b", "-b", "+c", "-c", "+a", "-a"]


def test_views_run_at_once_on_every_worker() -> None:
    barrier = Barrier(3, timeout=10)

    def refresh(_: str) -> RefreshResult:
        barrier.wait()
        return REFRESHED

    assert len(starts_and_ends(plan(*"abcdef"), refresh, workers=3)) == 12


def test_views_at_once_never_exceed_the_workers() -> None:
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

    starts_and_ends(plan(*"abcdefghij"), refresh, workers=2)
    assert max_running <= 2


def test_dependent_starts_while_unrelated_views_run() -> None:
    dependent_ran = Event()

    def refresh(name: str) -> RefreshResult:
        if name == "slow":
            assert dependent_ran.wait(10)
        if name == "dependent":
            dependent_ran.set()
        return REFRESHED

    reported = starts_and_ends(plan("source", "dependent", "slow", depends_on={"dependent": "source"}), refresh)
    order = [reported.index(entry) for entry in ("-source", "+dependent", "-dependent", "-slow")]
    assert order == sorted(order)


def test_dependent_of_a_failed_view_is_refreshed() -> None:
    reported = starts_and_ends(
        plan("source", "dependent", depends_on={"dependent": "source"}),
        lambda name: FAILED_RESULT if name == "source" else REFRESHED,
    )
    assert reported == ["+source", "-source", "+dependent", "-dependent"]


def test_most_urgent_ready_view_starts_first() -> None:
    ordered = plan(*"rabcd", depends_on=dict.fromkeys("abcd", "r"), seconds={"r": 1, "a": 2, "b": 9, "c": 5, "d": 7})
    started = [entry for entry in starts_and_ends(ordered, lambda _: REFRESHED, workers=1) if entry.startswith("+")]
    assert started == ["+r", "+b", "+d", "+c", "+a"]


def test_unexpected_error_starts_nothing_and_is_raised_at_the_end() -> None:
    other_may_end, ended = Event(), list[str]()

    def refresh(name: str) -> RefreshResult:
        if name == "a":
            other_may_end.set()
            raise ZeroDivisionError
        assert other_may_end.wait(10)
        ended.append(name)
        return REFRESHED

    with pytest.raises(ZeroDivisionError):
        starts_and_ends(plan("a", "b", "c"), refresh)
    assert ended in ([], ["b"])


def test_lost_worker_leaves_its_view_to_the_others() -> None:
    refused, warned, messages = dict[str, int](), Event(), list[str]()

    def refresh(_: PlannedView) -> RefreshResult:
        if refused.setdefault("worker", get_ident()) == get_ident():
            raise WorkerLost("too many clients already")
        assert warned.wait(10)
        return REFRESHED

    def on_event(event: RunEvent) -> None:
        if isinstance(event, RunWarning):
            messages.append(f"{event.database}: {event.message}")
            warned.set()

    results = run(plan(*"abcdefgh"), 2, callbacks(refresh, on_event=on_event))
    assert sorted(view.key.name.name for view in results) == list("abcdefgh")
    assert messages == ["default: One worker fewer in default, 1 left: too many clients already"]


def test_run_without_workers_ends_with_the_cause() -> None:
    def refresh(_: PlannedView) -> RefreshResult:
        raise WorkerLost from ConnectionRefusedError("down")

    with pytest.raises(ConnectionRefusedError, match="down"):
        run(plan(*"abcd"), 3, callbacks(refresh))


def test_each_worker_closes_its_connections_in_its_thread() -> None:
    barrier, closed, worked = Barrier(2, timeout=10), set[int](), set[int]()

    def refresh(_: PlannedView) -> RefreshResult:
        barrier.wait()
        worked.add(get_ident())
        return REFRESHED

    run(plan("a", "b"), 2, callbacks(refresh, close_worker=lambda: closed.add(get_ident())))
    assert closed == worked
    assert len(closed) == 2


def test_empty_plan_ends_at_once() -> None:
    assert starts_and_ends(RefreshPlan(), lambda _: REFRESHED) == []


def test_stop_cancels_running_views_and_starts_nothing() -> None:
    stop, cancelled = StopSignal(), Event()

    def refresh(view: PlannedView) -> RefreshResult:
        stop.request("SIGTERM")
        assert cancelled.wait(10)
        raise InterruptedError

    started: list[str] = []

    def on_event(event: RunEvent) -> None:
        if isinstance(event, ViewStarted):
            started.append(event.view.key.name.name)

    ordered = plan("a", "b", "c", seconds={"a": 3, "b": 2, "c": 1})
    assert run(ordered, 1, callbacks(refresh, cancel=cancelled.set, on_event=on_event), stop) == {}
    assert started == ["a"]


def test_view_that_ends_during_a_stop_keeps_its_result() -> None:
    stop = StopSignal()

    def refresh(_: str) -> RefreshResult:
        stop.request("SIGINT")
        return REFRESHED

    ordered = plan("a", "b", seconds={"a": 2, "b": 1})
    assert starts_and_ends(ordered, refresh, workers=1, stop=stop) == ["+a", "-a"]


def test_cancel_without_effect_is_repeated() -> None:
    stop, cancels, third = StopSignal(), list[int](), Event()

    def refresh(_: PlannedView) -> RefreshResult:
        stop.request("SIGTERM")
        assert third.wait(10)
        raise InterruptedError

    def cancel() -> None:
        cancels.append(1)
        if len(cancels) == 3:
            third.set()

    assert run(plan("a"), 1, callbacks(refresh, cancel=cancel), stop) == {}
    assert len(cancels) >= 3


@pytest.mark.slow
def test_refresh_that_ignores_cancels_is_left_behind() -> None:
    stop, never = StopSignal(), Event()

    def refresh(_: PlannedView) -> RefreshResult:
        stop.request("SIGTERM")
        never.wait(60)
        return REFRESHED

    before = monotonic()
    assert run(plan("a"), 1, callbacks(refresh), stop) == {}
    assert monotonic() - before < 30
    never.set()


def test_stop_set_before_the_run_starts_nothing() -> None:
    stop = StopSignal()
    stop.request("SIGINT")
    assert starts_and_ends(plan("a"), lambda _: REFRESHED, stop=stop) == []


def test_tick_runs_while_a_view_is_refreshed() -> None:
    ticked = Event()

    def refresh(_: PlannedView) -> RefreshResult:
        assert ticked.wait(10)
        return REFRESHED

    assert len(run(plan("a"), 1, callbacks(refresh, on_tick=ticked.set))) == 1
